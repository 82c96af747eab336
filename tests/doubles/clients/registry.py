"""Which client each rule and each hostile answer has to catch."""

from .broken_configuration import (
    AlwaysSandbox,
    AnyTokenType,
    BelievesClaims,
    BothCredentials,
    HardCoded,
    NoVerify,
    PinsTheKey,
    PlainHttp,
    SecretReadOnce,
    ShowsOddSecrets,
    TrustsNetrc,
    VagueErrors,
)
from .broken_leaks import (
    FollowsNext,
    FollowsRedirects,
    LogsAnswers,
    LogsTheToken,
    LogsUrls,
    PublicTokenFile,
    SecretInError,
    SendsProxyCredentials,
    SendsReferer,
    TokenInUrl,
)
from .broken_sharing import (
    BlocksItsLoop,
    DropsAnyToken,
    DropsOnAnyError,
    GivesUpForGood,
    HostBySubstring,
    LogsPieces,
    NaiveButWary,
    NaiveLocalTime,
    OneLoop,
    PublicDatabase,
    RenamesPublicFile,
    SendsItsSecret,
    SharesItsToken,
    SwallowsCancellation,
    TrustsItsFile,
    TwoLayers,
    UsesUpItsBody,
    UtcAsLocalTime,
)
from .broken_tokens import (
    AgedFromTheAnswer,
    AlwaysAnHour,
    AsksWhenMade,
    BelievesExpiresIn,
    BelievesTheServersClock,
    BufferInverted,
    DropsTheOldToken,
    FetchesForEachCall,
    KeepsRefusedToken,
    LoopsOnJumps,
    MarksInFlight,
    NoBuffer,
    NoLock,
    NoLockOnRefresh,
    NoSecondTry,
    NoTimeout,
    NotMadeForForks,
    OldTokenWithoutEnd,
    RefreshesOnForbidden,
    RetriesRefusedCredentials,
    Storm,
    TriesFiveTimes,
)
from .broken_writes import (
    BothKeyHeaders,
    DerivedKey,
    KeyWhenSent,
    MintsNewKeys,
    NoThrottle,
    OneKeyForAll,
    OtherBytes,
    RetriesWithoutKey,
    TrustsTheKey,
    WaitsForHours,
)
from .fragile_clients import (
    AnyName,
    AnyTime,
    AnyTls,
    BelievesEverything,
    CrashesOnLongHeaders,
    FollowsForEver,
    Impatient,
    KeepsCookies,
    LogsMessages,
    Naive,
    NeedsEverything,
    NeedsLength,
    NeverStops,
    NoBounds,
    Only201,
    ReadsDatesCarelessly,
    TakesAnyRecord,
    TakesAnything,
    WaitsForEver,
    WarnsByFailing,
)
from .good_client import GoodClient

BROKEN: dict[str, type[GoodClient]] = {
    "TC-01": FetchesForEachCall, "TC-02": NoLock, "TC-03": NoLockOnRefresh,
    "TC-04": AsksWhenMade, "TC-05": NoBuffer, "TC-06": BufferInverted,
    "TC-07": AgedFromTheAnswer, "TC-08": LoopsOnJumps, "TC-09": BelievesTheServersClock,
    "TC-10": AlwaysAnHour, "TC-11": BelievesExpiresIn, "TC-12": NoSecondTry,
    "TC-13": TriesFiveTimes, "TC-14": RetriesRefusedCredentials, "TC-15": RefreshesOnForbidden,
    "TC-16": TokenInUrl, "TC-17": PlainHttp, "TC-18": NoVerify, "TC-19": FollowsRedirects,
    "TC-20": FollowsRedirects, "TC-21": FollowsRedirects, "TC-22": KeepsRefusedToken,
    "TC-23": RetriesRefusedCredentials, "TC-24": SecretReadOnce, "TC-25": PinsTheKey,
    "TC-26": BelievesClaims, "TC-27": AnyTokenType, "TC-28": LogsTheToken,
    "TC-29": PublicTokenFile, "TC-30": HardCoded, "TC-31": ShowsOddSecrets,
    "TC-32": AlwaysSandbox, "TC-33": VagueErrors, "TC-34": BothCredentials,
    "TC-35": FollowsNext, "TC-36": SendsProxyCredentials,
    "TC-37": TrustsNetrc, "TC-38": NoTimeout, "TC-39": RetriesWithoutKey,
    "TC-40": NoThrottle, "TC-41": DropsTheOldToken, "TC-42": Storm, "TC-43": MarksInFlight,
    "TC-44": NotMadeForForks, "TC-45": SendsReferer, "TC-46": OtherBytes,
    "TC-47": OneKeyForAll, "TC-48": DerivedKey, "TC-49": WaitsForHours,
    "TC-50": TrustsTheKey, "TC-51": BothKeyHeaders, "TC-52": MintsNewKeys, "TC-53": KeyWhenSent,
    "TC-54": LogsAnswers, "TC-55": LogsUrls, "TC-56": SharesItsToken, "TC-57": SharesItsToken,
    "TC-58": DropsAnyToken, "TC-59": SendsItsSecret, "TC-60": GivesUpForGood,
    "TC-61": DropsOnAnyError, "TC-62": TwoLayers, "TC-63": LogsPieces, "TC-64": UtcAsLocalTime,
    "TC-65": HostBySubstring, "TC-66": BlocksItsLoop, "TC-67": SwallowsCancellation,
    "TC-68": UsesUpItsBody, "TC-69": OneLoop, "TC-70": TrustsItsFile,
}  # fmt: skip
"""Which client each rule has to catch."""


ALSO: dict[str, list[type[GoodClient]]] = {
    "TC-28": [SecretInError], "TC-29": [RenamesPublicFile, PublicDatabase],
    "TC-64": [NaiveLocalTime, NaiveButWary], "TC-39": [MintsNewKeys],
    "TC-06": [OldTokenWithoutEnd],
}  # fmt: skip
"""Further bugs that a rule has to catch."""


FRAGILE: dict[str, type[GoodClient]] = {
    "AR-01": Only201, "AR-02": TakesAnything, "AR-03": TakesAnything, "AR-04": TakesAnything,
    "AR-05": TakesAnything, "AR-06": TakesAnything, "AR-07": NoBounds,
    "AR-08": NoBounds, "AR-09": TakesAnything, "AR-10": FollowsForEver,
    "AR-11": NoSecondTry, "AR-12": TriesFiveTimes, "AR-13": RefreshesOnForbidden,
    "AR-14": NeverStops, "AR-15": LogsMessages, "AR-16": SecretInError, "AR-17": Only201,
    "AR-18": NeverStops, "AR-19": WaitsForHours, "AR-20": RetriesWithoutKey,
    "AR-21": NeverStops, "AR-22": WarnsByFailing, "AR-23": NeedsEverything,
    "AR-24": NeedsEverything, "AR-25": Impatient, "AR-26": NeverStops, "AR-27": WaitsForHours,
    "AR-28": Naive, "AR-29": WaitsForHours, "AR-30": NeverStops, "AR-31": Impatient,
    "AR-32": DropsTheOldToken, "AR-33": NoTimeout, "AR-34": TakesAnyRecord, "AR-35": KeepsCookies,
    "AR-36": NoVerify, "AR-37": CrashesOnLongHeaders, "AR-38": FollowsNext,
}  # fmt: skip
"""Which client each hostile answer has to catch."""


RAW: dict[str, type[GoodClient]] = {
    "AR-07/length too long": BelievesEverything, "AR-07/length too short": TakesAnything,
    "AR-07/chunk cut off": BelievesEverything, "AR-07/no chunk size": BelievesEverything,
    "AR-08/endless chunks": NoBounds, "AR-33/half-open": WaitsForEver,
    "AR-33/half-open, token": WaitsForEver, "AR-33/slow headers": WaitsForEver,
    "AR-33/slow body": NoBounds, "AR-37/100 Continue, then nothing": WaitsForEver,
    "AR-37/HTTP/1.0": NeedsLength,
}  # fmt: skip
"""Which client each answer of raw bytes has to catch; endless headers, every library refuses."""


ALSO_FRAGILE: dict[str, type[GoodClient]] = {
    "AR-19/endless year": ReadsDatesCarelessly,
    "AR-20/after the hour": WaitsForHours, "AR-36/expired": AnyTime,
    "AR-36/not yet valid": AnyTime, "AR-36/another name": AnyName, "AR-36/TLS 1.0": AnyTls,
}  # fmt: skip
"""Further bugs that one variant has to catch."""
