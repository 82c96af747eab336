"""HTTP as the control API sees it: documents, refusals, routes, streams, relays."""
