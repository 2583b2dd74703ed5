BEGIN TRANSACTION;
CREATE TABLE batches (id TEXT PRIMARY KEY, added_at TEXT NOT NULL);
INSERT INTO "batches" VALUES('b-0','2026-11-23T12:00:00.000000+00:00');
INSERT INTO "batches" VALUES('b-1','2026-11-23T12:01:00.000000+00:00');
INSERT INTO "batches" VALUES('b-2','2026-11-23T12:02:00.000000+00:00');
INSERT INTO "batches" VALUES('b-3','2026-11-23T12:03:00.000000+00:00');
INSERT INTO "batches" VALUES('b-2099','2026-11-23T12:00:00.000000+00:00');
INSERT INTO "batches" VALUES('b-after','2026-11-23T12:09:00.000000+00:00');
CREATE TABLE claims (
    key TEXT PRIMARY KEY, holder TEXT NOT NULL, taken_at TEXT NOT NULL, done INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO "claims" VALUES('e:0ababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',1);
INSERT INTO "claims" VALUES('e:1ababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',1);
INSERT INTO "claims" VALUES('e:2ababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('e:3ababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('e:4ababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('e:5ababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('e:6ababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('e:7ababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('e:8ababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('e:9ababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('e:9fffffffffffffffffffffffffffffff','m-0','2026-11-20T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('e:aababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('e:bababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('e:cababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('e:dababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('e:eababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('e:fababababababababababababababab0','m-1','2026-11-23T12:00:00.000000+00:00',0);
INSERT INTO "claims" VALUES('r:1ccccccccccccccccccccccccccccccc','e:0ababababababababababababababab0','2026-11-23T12:00:00.000000+00:00',0);
CREATE TABLE history (
        settled_at TEXT, id TEXT, page TEXT NOT NULL, outcome TEXT NOT NULL
    );
INSERT INTO "history" VALUES('2026-11-23T12:00:06.000000+00:00','20261123T120001Z-1','{"id":"20261123T120001Z-1","rule":"HighHourlyCosts/critical","dedup_key":"dev/HighHourlyCosts/critical","route":"critical","action":"trigger","severity":"critical","summary":"LLM spend is $120.00 an hour \u2014 \u00fcber $100","body":{"payload":{"custom_details":{"value":120.5,"series":["a",null]}}},"created_at":"2026-11-23T12:00:01Z","not_before":"2026-11-23T12:00:06Z","reason":"first","attempts":1,"last_status":"202","tried_at":"2026-11-23T12:00:05Z","lease":"token","fired_at":null}','{"status":202}');
CREATE TABLE label_values (
    label TEXT, value TEXT, PRIMARY KEY (label, value)
) WITHOUT ROWID;
INSERT INTO "label_values" VALUES('model','gpt-4o');
INSERT INTO "label_values" VALUES('model','gpt-4o-mini');
INSERT INTO "label_values" VALUES('model','ü/?');
CREATE TABLE mark (
    only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL, text TEXT NOT NULL
);
INSERT INTO "mark" VALUES(1,2,'{"minute":"2026-11-23T12:00:00+00:00","until":"2026-11-23T12:00:00+00:00","owed":[{"name":"llm_api_calls_total","time":"2026-11-23T12:00:00Z","labels":[["provider","openai"],["model","gpt-4o"],["status","success"]],"total":8.0,"count":1,"low":null,"high":null}],"totals":[["counter",["llm_api_calls_total",[["provider","openai"],["model","gpt-4o"],["status","success"]]],"8"],["counter",["llm_cost_usd_total",[["provider","openai"],["model","gpt-4o"]]],"6.000000000000000000000004"],["histogram",["http_request_duration_seconds",[["method","GET"],["path","/v1/\u00fc"]]],[8,2.0,[4,0,0,0,0,0,0,0,0,0,0,4]]],["gauge",["active_teams_total",[["status","busy"]],"fleet-a"],["2026-11-23T12:00:00+00:00",6.0]],["gauge",["task_queue_size",[["priority","high"]],"fleet-a"],["2099-01-01T00:00:00+00:00",7.0]]]}');
CREATE TABLE news (
        number INTEGER PRIMARY KEY, id TEXT UNIQUE, rule TEXT NOT NULL, steps TEXT NOT NULL
    );
INSERT INTO "news" VALUES(2,'fcdc907b888c4a22d7f3a2b7','HighErrorRate/warning','[{"key":"HighErrorRate/warning 2","rule":"HighErrorRate/warning","alert":"HighHourlyCosts.critical.0123456789ab","kind":"transition","at":"2026-11-23T12:02:00Z","state":"firing","reason":"1.5 is > 1","series":{"Model":"gpt-4"},"episode":"HighHourlyCosts.critical.0123456789ab@20261123T120000Z","numbers":{"value":1.5,"threshold":1.0},"texts":{"look":"main"},"evidence":[{"look":"main","query":"UsageEvents | where Model == ''\u00fc''\n| summarize value = 1","start":"2026-11-23T12:00:00Z","end":"2026-11-23T12:00:00Z","condition":"> 1","threshold":1.0,"hold_s":60.0,"rows":[{"labels":{"Model":"gpt-4"},"value":1.5,"samples":null,"onset":null},{"labels":{"Model":""},"value":null,"samples":3.0,"onset":null}],"row_count":40,"error":"no answer: \u201ctimeout\u201d"}]}]');
INSERT INTO "news" VALUES(3,'2d045ea26e4302e190b32c1b','HighHourlyCosts/critical','[{"key":"HighHourlyCosts/critical 3","rule":"HighHourlyCosts/critical","alert":"HighHourlyCosts.critical.0123456789ab","kind":"transition","at":"2026-11-23T12:03:00Z","state":"firing","reason":"1.5 is > 1","series":{"Model":"gpt-4"},"episode":"HighHourlyCosts.critical.0123456789ab@20261123T120000Z","numbers":{"value":1.5,"threshold":1.0},"texts":{"look":"main"},"evidence":[{"look":"main","query":"UsageEvents | where Model == ''\u00fc''\n| summarize value = 1","start":"2026-11-23T12:00:00Z","end":"2026-11-23T12:00:00Z","condition":"> 1","threshold":1.0,"hold_s":60.0,"rows":[{"labels":{"Model":"gpt-4"},"value":1.5,"samples":null,"onset":null},{"labels":{"Model":""},"value":null,"samples":3.0,"onset":null}],"row_count":40,"error":"no answer: \u201ctimeout\u201d"}]}]');
CREATE TABLE outbox (
        id TEXT, rule TEXT, page TEXT NOT NULL, PRIMARY KEY (id, rule)
    ) WITHOUT ROWID;
INSERT INTO "outbox" VALUES('20261123T120002Z-2','HighHourlyCosts/critical','{"id":"20261123T120002Z-2","rule":"HighHourlyCosts/critical","dedup_key":"dev/HighHourlyCosts/critical","route":"critical","action":"trigger","severity":"critical","summary":"LLM spend is $120.00 an hour \u2014 \u00fcber $100","body":{"payload":{"custom_details":{"value":120.5,"series":["a",null]}}},"created_at":"2026-11-23T12:00:02Z","not_before":"2026-11-23T12:00:00Z","reason":"first","attempts":0,"last_status":"","tried_at":null,"lease":"","fired_at":null}');
INSERT INTO "outbox" VALUES('20261123T120003Z-3','HighErrorRate/warning','{"id":"20261123T120003Z-3","rule":"HighErrorRate/warning","dedup_key":"dev/HighErrorRate/warning","route":"critical","action":"trigger","severity":"critical","summary":"LLM spend is $120.00 an hour \u2014 \u00fcber $100","body":{"payload":{"custom_details":{"value":120.5,"series":["a",null]}}},"created_at":"2026-11-23T12:00:03Z","not_before":"2026-11-23T12:00:00Z","reason":"first","attempts":0,"last_status":"","tried_at":null,"lease":"","fired_at":null}');
CREATE TABLE records (rule TEXT PRIMARY KEY, version INTEGER, record TEXT);
INSERT INTO "records" VALUES('HighHourlyCosts/critical',1,'{"rule":"HighHourlyCosts/critical","version":1,"series":{},"incidents":{},"last_at":null,"last_good_at":null,"errors":0,"last_error":"","transitions":[],"resolved":{},"paged":"","muted_by":"","looked":[],"decided":{},"contents":{},"asks":""}');
INSERT INTO "records" VALUES('HighErrorRate/warning',1,'{"rule":"HighErrorRate/warning","version":1,"series":{},"incidents":{},"last_at":null,"last_good_at":null,"errors":0,"last_error":"","transitions":[],"resolved":{},"paged":"","muted_by":"","looked":[],"decided":{},"contents":{},"asks":""}');
CREATE TABLE series (
        kind TEXT, name TEXT, amount TEXT NOT NULL, sampled_at TEXT, PRIMARY KEY (kind, name)
    ) WITHOUT ROWID;
INSERT INTO "series" VALUES('counter','["llm_api_calls_total",[["provider","openai"],["model","gpt-4o"],["status","success"]]]','"8"',NULL);
INSERT INTO "series" VALUES('counter','["llm_cost_usd_total",[["provider","openai"],["model","gpt-4o"]]]','"6.500000000000000000000004"',NULL);
INSERT INTO "series" VALUES('gauge','["active_teams_total",[["status","busy"]],"fleet-a"]','["2026-11-23T12:00:00+00:00",6.0]','2026-11-23T12:00:00.000000+00:00');
INSERT INTO "series" VALUES('gauge','["task_queue_size",[["priority","high"]],"fleet-a"]','["2099-01-01T00:00:00+00:00",7.0]','2099-01-01T00:00:00.000000+00:00');
INSERT INTO "series" VALUES('histogram','["http_request_duration_seconds",[["method","GET"],["path","/v1/ü"]]]','[8,2.0,[4,0,0,0,0,0,0,0,0,0,0,4]]',NULL);
CREATE TABLE silences (
    id TEXT PRIMARY KEY, ends_at TEXT NOT NULL, silence TEXT NOT NULL
);
INSERT INTO "silences" VALUES('s-1','2026-11-23T13:00:00.000000+00:00','{"id":"s-1","matchers":[{"name":"alertname","value":"High.*","is_regex":true,"is_equal":true},{"name":"severity","value":"info","is_regex":false,"is_equal":false}],"starts_at":"2026-11-23T12:00:00Z","ends_at":"2026-11-23T13:00:00Z","author":"Ünal","comment":"deploying “checkout”","recurrence":{"days":["sat"],"from":"22:00:00","to":"02:30:00","zone":"Europe/Berlin"},"kind":"silence"}');
INSERT INTO "silences" VALUES('s-2','2026-11-23T15:00:00.000000+00:00','{"id":"s-2","matchers":[{"name":"alertname","value":"High.*","is_regex":true,"is_equal":true},{"name":"severity","value":"info","is_regex":false,"is_equal":false}],"starts_at":"2026-11-23T14:00:00Z","ends_at":"2026-11-23T15:00:00Z","author":"Ünal","comment":"deploying “checkout”","recurrence":{"days":["sat"],"from":"22:00:00","to":"02:30:00","zone":"Europe/Berlin"},"kind":"silence"}');
CREATE TABLE steps (rule TEXT PRIMARY KEY, steps TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "steps" VALUES('HighHourlyCosts/critical','[{"key":"HighHourlyCosts/critical 1","rule":"HighHourlyCosts/critical","alert":"HighHourlyCosts.critical.0123456789ab","kind":"transition","at":"2026-11-23T12:01:00Z","state":"firing","reason":"1.5 is > 1","series":{"Model":"gpt-4"},"episode":"HighHourlyCosts.critical.0123456789ab@20261123T120000Z","numbers":{"value":1.5,"threshold":1.0},"texts":{"look":"main"},"evidence":[{"look":"main","query":"UsageEvents | where Model == ''\u00fc''\n| summarize value = 1","start":"2026-11-23T12:00:00Z","end":"2026-11-23T12:00:00Z","condition":"> 1","threshold":1.0,"hold_s":60.0,"rows":[{"labels":{"Model":"gpt-4"},"value":1.5,"samples":null,"onset":null},{"labels":{"Model":""},"value":null,"samples":3.0,"onset":null}],"row_count":40,"error":"no answer: \u201ctimeout\u201d"}]}]');
CREATE TABLE texts (name TEXT PRIMARY KEY, text TEXT NOT NULL);
INSERT INTO "texts" VALUES('routes.toml','# ü
[meta]
');
CREATE INDEX claims_age ON claims (taken_at);
CREATE INDEX batches_age ON batches (added_at);
CREATE INDEX gauges_age ON series (sampled_at) WHERE kind = 'gauge';
CREATE INDEX news_rule ON news (rule);
CREATE INDEX history_order ON history (settled_at, id);
COMMIT;
