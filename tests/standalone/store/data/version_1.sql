BEGIN TRANSACTION;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('clean','yes');
INSERT INTO "meta" VALUES('schema','1');
CREATE TABLE snapshots (
        tenant TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (tenant, name)
    ) WITHOUT ROWID;
CREATE TABLE state (
        tenant TEXT NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL,
        position BIGINT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (tenant, part, key)
    ) WITHOUT ROWID;
INSERT INTO "state" VALUES('default','credentials.clients','turris_sandbox_client_bbd8f8970cc6',8,'{"client_id":"turris_sandbox_client_bbd8f8970cc6","client_secret":"turris_sandbox_secret_aa616b696b1543a41194799075bc01491fe4d95d","environment":"sandbox","permissions":["read","write"],"revoked":false,"previous_secret":null,"previous_until":null}');
INSERT INTO "state" VALUES('default','entity','',3,'{"id":"be1ee22d88bd610d8e38a44c","settled_at":"2026-11-28T15:52:01.479773+00:00"}');
INSERT INTO "state" VALUES('default','entity.agents','824a726aa5403bceba6f769a',10,'{"agent":{"id":"824a726aa5403bceba6f769a","npn":"12345670","first_name":"Blake","middle_name":null,"last_name":"Baker","downstream_entity_agent_association_ids":[],"created_at":"2026-11-28T15:52:01.479Z","updated_at":"2026-11-28T15:52:01.479Z"},"onboarding_category":"addition","nipr_data_subscription":{"id":"34c95d28b958712b4da03bc1","data_owner_id":"be1ee22d88bd610d8e38a44c","data_owner_model":"UpstreamEntity","entity_model":"Agent","entity_info":{"status":"success","job_id":"60e883f6b10d1cfb90661bda","message":null,"raw_entity_info_id":null},"npn":"12345670","last_synchronization_date":"2026-11-28T15:52:01.479Z","pdb_alerts_subscription_status":"active","pdb_alerts_paused_at":null,"sync_due":null},"is_uploaded_by_upstream_entity":true,"is_deleted":false,"is_archived":false,"authority":[],"email":null,"is_deliverable":null,"external_id":null,"downstream_entity_association_id":null,"association_ids":[],"deleted_with":null}');
INSERT INTO "state" VALUES('default','entity.agents','e79f0287046f69c869fe4dfc',18,'{"agent":{"id":"e79f0287046f69c869fe4dfc","npn":"12345672","first_name":"Finley","middle_name":null,"last_name":"García","downstream_entity_agent_association_ids":[],"created_at":"2026-11-28T15:52:01.479Z","updated_at":"2026-11-28T15:52:01.479Z"},"onboarding_category":"addition","nipr_data_subscription":{"id":"c985aca21c3801fb369b52a6","data_owner_id":"be1ee22d88bd610d8e38a44c","data_owner_model":"UpstreamEntity","entity_model":"Agent","entity_info":{"status":"success","job_id":"eb7e6b27a8b7b2116f53c4ad","message":null,"raw_entity_info_id":null},"npn":"12345672","last_synchronization_date":"2026-11-28T15:52:01.479Z","pdb_alerts_subscription_status":"active","pdb_alerts_paused_at":null,"sync_due":null},"is_uploaded_by_upstream_entity":true,"is_deleted":false,"is_archived":false,"authority":[],"email":null,"is_deliverable":null,"external_id":null,"downstream_entity_association_id":null,"association_ids":[],"deleted_with":null}');
INSERT INTO "state" VALUES('default','entity.agents','fa71be66af3294175550f59b',14,'{"agent":{"id":"fa71be66af3294175550f59b","npn":"12345671","first_name":"Finley","middle_name":null,"last_name":"García","downstream_entity_agent_association_ids":[],"created_at":"2026-11-28T15:52:01.479Z","updated_at":"2026-11-28T15:52:01.479Z"},"onboarding_category":"addition","nipr_data_subscription":{"id":"a7390c0c70d33c7049cfc610","data_owner_id":"be1ee22d88bd610d8e38a44c","data_owner_model":"UpstreamEntity","entity_model":"Agent","entity_info":{"status":"success","job_id":"ac940e201a3ab9a194aedccd","message":null,"raw_entity_info_id":null},"npn":"12345671","last_synchronization_date":"2026-11-28T15:52:01.479Z","pdb_alerts_subscription_status":"active","pdb_alerts_paused_at":null,"sync_due":null},"is_uploaded_by_upstream_entity":true,"is_deleted":false,"is_archived":false,"authority":[],"email":null,"is_deliverable":null,"external_id":null,"downstream_entity_association_id":null,"association_ids":[],"deleted_with":null}');
INSERT INTO "state" VALUES('default','entity.npns','',6,'{"busy_until":null}');
INSERT INTO "state" VALUES('default','entity.watch','824a726aa5403bceba6f769a',11,'["824a726aa5403bceba6f769a",[]]');
INSERT INTO "state" VALUES('default','entity.watch','e79f0287046f69c869fe4dfc',19,'["e79f0287046f69c869fe4dfc",[]]');
INSERT INTO "state" VALUES('default','entity.watch','fa71be66af3294175550f59b',15,'["fa71be66af3294175550f59b",[]]');
INSERT INTO "state" VALUES('default','faults','',4,'[]');
INSERT INTO "state" VALUES('default','journal','',9,'{"seen":0}');
INSERT INTO "state" VALUES('default','outbox','',7,'{"debounce":[],"seen":0,"made":0,"attempted":0,"resends":[]}');
INSERT INTO "state" VALUES('default','randomness','',2,'{"seed":"0/v1","drawn":{"object id":10,"client":1,"secret":1,"name":6}}');
INSERT INTO "state" VALUES('default','sandbox','',1,'{"clock":{"offset_us":0},"client":"turris_sandbox_client_bbd8f8970cc6","token_requests":0}');
CREATE TABLE steps (
        tenant TEXT NOT NULL, number BIGINT NOT NULL, at TEXT NOT NULL, what TEXT NOT NULL,
        exchange BIGINT NOT NULL,
        PRIMARY KEY (tenant, number)
    ) WITHOUT ROWID;
INSERT INTO "steps" VALUES('default',1,'2026-11-28T15:52:01.478898+00:00','began',0);
INSERT INTO "steps" VALUES('default',2,'2026-11-28T15:52:01.479368+00:00','time passed',0);
INSERT INTO "steps" VALUES('default',3,'2026-11-28T15:52:01.479641+00:00','time passed',0);
INSERT INTO "steps" VALUES('default',4,'2026-11-28T15:52:01.479892+00:00','time passed',0);
CREATE TABLE tenants (name TEXT PRIMARY KEY, options TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "tenants" VALUES('default','{"envelope":"top_level"}');
CREATE TABLE undo (
        tenant TEXT NOT NULL, step BIGINT NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL,
        position BIGINT, value TEXT,
        PRIMARY KEY (tenant, step, part, key)
    ) WITHOUT ROWID;
INSERT INTO "undo" VALUES('default',1,'credentials.clients','turris_sandbox_client_bbd8f8970cc6',NULL,NULL);
INSERT INTO "undo" VALUES('default',1,'entity','',NULL,NULL);
INSERT INTO "undo" VALUES('default',1,'entity.npns','',NULL,NULL);
INSERT INTO "undo" VALUES('default',1,'faults','',NULL,NULL);
INSERT INTO "undo" VALUES('default',1,'outbox','',NULL,NULL);
INSERT INTO "undo" VALUES('default',1,'randomness','',NULL,NULL);
INSERT INTO "undo" VALUES('default',1,'sandbox','',NULL,NULL);
INSERT INTO "undo" VALUES('default',2,'entity','',3,'{"id":"be1ee22d88bd610d8e38a44c","settled_at":"2026-11-28T15:52:01.477759+00:00"}');
INSERT INTO "undo" VALUES('default',2,'entity.agents','824a726aa5403bceba6f769a',NULL,NULL);
INSERT INTO "undo" VALUES('default',2,'entity.watch','824a726aa5403bceba6f769a',NULL,NULL);
INSERT INTO "undo" VALUES('default',2,'randomness','',2,'{"seed":"0/v1","drawn":{"object id":1,"client":1,"secret":1}}');
INSERT INTO "undo" VALUES('default',3,'entity','',3,'{"id":"be1ee22d88bd610d8e38a44c","settled_at":"2026-11-28T15:52:01.479150+00:00"}');
INSERT INTO "undo" VALUES('default',3,'entity.agents','fa71be66af3294175550f59b',NULL,NULL);
INSERT INTO "undo" VALUES('default',3,'entity.watch','fa71be66af3294175550f59b',NULL,NULL);
INSERT INTO "undo" VALUES('default',3,'randomness','',2,'{"seed":"0/v1","drawn":{"object id":4,"client":1,"secret":1,"name":2}}');
INSERT INTO "undo" VALUES('default',4,'entity','',3,'{"id":"be1ee22d88bd610d8e38a44c","settled_at":"2026-11-28T15:52:01.479515+00:00"}');
INSERT INTO "undo" VALUES('default',4,'entity.agents','e79f0287046f69c869fe4dfc',NULL,NULL);
INSERT INTO "undo" VALUES('default',4,'entity.watch','e79f0287046f69c869fe4dfc',NULL,NULL);
INSERT INTO "undo" VALUES('default',4,'randomness','',2,'{"seed":"0/v1","drawn":{"object id":7,"client":1,"secret":1,"name":4}}');
COMMIT;
