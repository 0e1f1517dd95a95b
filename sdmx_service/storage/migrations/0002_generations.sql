CREATE TABLE generation_times (_number INTEGER NOT NULL, _saved_at BIGINT NOT NULL);
INSERT INTO generation_times SELECT _number, coalesce((SELECT min(_published_at) FROM releases), CAST(extract(epoch FROM now()) * 1000000 AS BIGINT)) FROM generations WHERE _number > 0;
