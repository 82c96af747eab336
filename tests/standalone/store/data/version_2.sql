BEGIN TRANSACTION;
CREATE TABLE exchanges (
        tenant TEXT NOT NULL, number BIGINT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (tenant, number)
    ) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('clean','yes');
INSERT INTO "meta" VALUES('schema','2');
CREATE TABLE snapshots (
        tenant TEXT NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL, packed BLOB NOT NULL,
        PRIMARY KEY (tenant, name)
    ) WITHOUT ROWID;
CREATE TABLE state (
        tenant TEXT NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL,
        position BIGINT NOT NULL, version BIGINT NOT NULL, value TEXT,
        PRIMARY KEY (tenant, part, key)
    ) WITHOUT ROWID;
INSERT INTO "state" VALUES('default','credentials.clients','turris_sandbox_client_0606c6f207a4',10000003,1,'{"client_id":"turris_sandbox_client_0606c6f207a4","client_secret":"turris_sandbox_secret_ca8fffcd73b1cd9963c482a11a1620bf52181dcb","environment":"sandbox","permissions":["read","write"],"revoked":false,"previous_secret":null,"previous_until":null}');
INSERT INTO "state" VALUES('default','entity.agents','119dea14d907e5a71a2a8fec',40000000,4,'{"agent":{"id":"119dea14d907e5a71a2a8fec","npn":"12345672","first_name":"Drew","middle_name":null,"last_name":"López","downstream_entity_agent_association_ids":[],"created_at":"2026-11-29T22:09:52.569Z","updated_at":"2026-11-29T22:09:52.569Z"},"onboarding_category":"addition","nipr_data_subscription":{"id":"81b048c54ba415105dd29d9d","data_owner_id":"02ad15e6eb6ca4b3ac00c2fd","data_owner_model":"UpstreamEntity","entity_model":"Agent","entity_info":{"status":"success","job_id":"ce270368fa3afbc5aa0ee19f","message":null,"raw_entity_info_id":null},"npn":"12345672","last_synchronization_date":"2026-11-29T22:09:52.569Z","pdb_alerts_subscription_status":"active","pdb_alerts_paused_at":null,"sync_due":null},"is_uploaded_by_upstream_entity":true,"is_deleted":false,"is_archived":false,"authority":[],"email":null,"is_deliverable":null,"external_id":null,"downstream_entity_association_id":null,"association_ids":[],"deleted_with":null}');
INSERT INTO "state" VALUES('default','entity.agents','17ebe14ae2175b1211ea2894',20000000,2,'{"agent":{"id":"17ebe14ae2175b1211ea2894","npn":"12345670","first_name":"Jordan","middle_name":null,"last_name":"Kim","downstream_entity_agent_association_ids":[],"created_at":"2026-11-29T22:09:52.569Z","updated_at":"2026-11-29T22:09:52.569Z"},"onboarding_category":"addition","nipr_data_subscription":{"id":"28f9ade32806864e4b6cc28c","data_owner_id":"02ad15e6eb6ca4b3ac00c2fd","data_owner_model":"UpstreamEntity","entity_model":"Agent","entity_info":{"status":"success","job_id":"914c393453635e738e74e494","message":null,"raw_entity_info_id":null},"npn":"12345670","last_synchronization_date":"2026-11-29T22:09:52.569Z","pdb_alerts_subscription_status":"active","pdb_alerts_paused_at":null,"sync_due":null},"is_uploaded_by_upstream_entity":true,"is_deleted":false,"is_archived":false,"authority":[],"email":null,"is_deliverable":null,"external_id":null,"downstream_entity_association_id":null,"association_ids":[],"deleted_with":null}');
INSERT INTO "state" VALUES('default','entity.agents','c1ae35cf450c8f144f9c9a7c',30000000,3,'{"agent":{"id":"c1ae35cf450c8f144f9c9a7c","npn":"12345671","first_name":"Jordan","middle_name":null,"last_name":"Chen","downstream_entity_agent_association_ids":[],"created_at":"2026-11-29T22:09:52.569Z","updated_at":"2026-11-29T22:09:52.569Z"},"onboarding_category":"addition","nipr_data_subscription":{"id":"fdfdd7f06ee6510072edf51a","data_owner_id":"02ad15e6eb6ca4b3ac00c2fd","data_owner_model":"UpstreamEntity","entity_model":"Agent","entity_info":{"status":"success","job_id":"a20a9c639a37647235578838","message":null,"raw_entity_info_id":null},"npn":"12345671","last_synchronization_date":"2026-11-29T22:09:52.569Z","pdb_alerts_subscription_status":"active","pdb_alerts_paused_at":null,"sync_due":null},"is_uploaded_by_upstream_entity":true,"is_deleted":false,"is_archived":false,"authority":[],"email":null,"is_deliverable":null,"external_id":null,"downstream_entity_association_id":null,"association_ids":[],"deleted_with":null}');
INSERT INTO "state" VALUES('default','entity.npns','',10000001,1,'{"busy_until":null}');
INSERT INTO "state" VALUES('default','entity.watch','119dea14d907e5a71a2a8fec',40000001,4,'["119dea14d907e5a71a2a8fec",[]]');
INSERT INTO "state" VALUES('default','entity.watch','17ebe14ae2175b1211ea2894',20000001,2,'["17ebe14ae2175b1211ea2894",[]]');
INSERT INTO "state" VALUES('default','entity.watch','c1ae35cf450c8f144f9c9a7c',30000001,3,'["c1ae35cf450c8f144f9c9a7c",[]]');
INSERT INTO "state" VALUES('default','faults','',10000000,1,'[]');
INSERT INTO "state" VALUES('default','outbox','',10000002,1,'{"debounce":[],"seen":0,"made":0,"attempted":0,"resends":[]}');
CREATE TABLE steps (
        tenant TEXT NOT NULL, number BIGINT NOT NULL, at TEXT NOT NULL, what TEXT NOT NULL,
        exchange BIGINT NOT NULL,
        PRIMARY KEY (tenant, number)
    ) WITHOUT ROWID;
INSERT INTO "steps" VALUES('default',1,'2026-11-29T22:09:52.568860+00:00','began',0);
INSERT INTO "steps" VALUES('default',2,'2026-11-29T22:09:52.569373+00:00','time passed',0);
INSERT INTO "steps" VALUES('default',3,'2026-11-29T22:09:52.569604+00:00','time passed',0);
INSERT INTO "steps" VALUES('default',4,'2026-11-29T22:09:52.569809+00:00','time passed',0);
CREATE TABLE tenants (
        name TEXT PRIMARY KEY, options TEXT NOT NULL, started TEXT NOT NULL, facts TEXT NOT NULL,
        version BIGINT NOT NULL, whole BIGINT NOT NULL, step BIGINT NOT NULL,
        due DOUBLE PRECISION, used_at DOUBLE PRECISION NOT NULL, idle_limit DOUBLE PRECISION
    ) WITHOUT ROWID;
INSERT INTO "tenants" VALUES('default','{}','{}','{"sandbox":{"clock":{"offset_us":0},"client":"turris_sandbox_client_0606c6f207a4","token_requests":0,"faults_made":0},"randomness":{"seed":"0/second version","drawn":{"object id":10,"client":1,"secret":1,"name":6}},"entity":{"id":"02ad15e6eb6ca4b3ac00c2fd","settled_at":"2026-11-29T22:09:52.569722+00:00"},"carried_out":"2026-11-29T22:09:52.569888+00:00","network":{"seed":0,"duplicate":0.0,"drop":0.0,"reorder":0.0,"delay":0},"journal":{"seen":0}}',4,0,4,NULL,1.79599019257001733785e+09,NULL);
CREATE TABLE undo (
        tenant TEXT NOT NULL, step BIGINT NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL,
        position BIGINT, value TEXT,
        PRIMARY KEY (tenant, step, part, key)
    ) WITHOUT ROWID;
INSERT INTO "undo" VALUES('default',1,'credentials.clients','turris_sandbox_client_0606c6f207a4',NULL,NULL);
INSERT INTO "undo" VALUES('default',1,'entity.npns','',NULL,NULL);
INSERT INTO "undo" VALUES('default',1,'faults','',NULL,NULL);
INSERT INTO "undo" VALUES('default',1,'outbox','',NULL,NULL);
INSERT INTO "undo" VALUES('default',2,'entity.agents','17ebe14ae2175b1211ea2894',NULL,NULL);
INSERT INTO "undo" VALUES('default',2,'entity.watch','17ebe14ae2175b1211ea2894',NULL,NULL);
INSERT INTO "undo" VALUES('default',2,'facts','',0,'{"sandbox":{"clock":{"offset_us":0},"client":"turris_sandbox_client_0606c6f207a4","token_requests":0,"faults_made":0},"randomness":{"seed":"0/second version","drawn":{"object id":1,"client":1,"secret":1}},"entity":{"id":"02ad15e6eb6ca4b3ac00c2fd","settled_at":"2026-11-29T22:09:52.566971+00:00"},"carried_out":"2026-11-29T22:09:52.566971+00:00","network":{"seed":0,"duplicate":0.0,"drop":0.0,"reorder":0.0,"delay":0},"journal":{"seen":0}}');
INSERT INTO "undo" VALUES('default',3,'entity.agents','c1ae35cf450c8f144f9c9a7c',NULL,NULL);
INSERT INTO "undo" VALUES('default',3,'entity.watch','c1ae35cf450c8f144f9c9a7c',NULL,NULL);
INSERT INTO "undo" VALUES('default',3,'facts','',0,'{"sandbox":{"clock":{"offset_us":0},"client":"turris_sandbox_client_0606c6f207a4","token_requests":0,"faults_made":0},"randomness":{"seed":"0/second version","drawn":{"object id":4,"client":1,"secret":1,"name":2}},"entity":{"id":"02ad15e6eb6ca4b3ac00c2fd","settled_at":"2026-11-29T22:09:52.569151+00:00"},"carried_out":"2026-11-29T22:09:52.569125+00:00","network":{"seed":0,"duplicate":0.0,"drop":0.0,"reorder":0.0,"delay":0},"journal":{"seen":0}}');
INSERT INTO "undo" VALUES('default',4,'entity.agents','119dea14d907e5a71a2a8fec',NULL,NULL);
INSERT INTO "undo" VALUES('default',4,'entity.watch','119dea14d907e5a71a2a8fec',NULL,NULL);
INSERT INTO "undo" VALUES('default',4,'facts','',0,'{"sandbox":{"clock":{"offset_us":0},"client":"turris_sandbox_client_0606c6f207a4","token_requests":0,"faults_made":0},"randomness":{"seed":"0/second version","drawn":{"object id":7,"client":1,"secret":1,"name":4}},"entity":{"id":"02ad15e6eb6ca4b3ac00c2fd","settled_at":"2026-11-29T22:09:52.569512+00:00"},"carried_out":"2026-11-29T22:09:52.569498+00:00","network":{"seed":0,"duplicate":0.0,"drop":0.0,"reorder":0.0,"delay":0},"journal":{"seen":0}}');
COMMIT;
