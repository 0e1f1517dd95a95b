CREATE INDEX IF NOT EXISTS documents_place ON documents (_kind, _id);
CREATE INDEX IF NOT EXISTS documents_number ON documents (_number);
CREATE INDEX IF NOT EXISTS files_place ON files (_id, _part);
CREATE INDEX IF NOT EXISTS submissions_place ON submissions (_submission);
CREATE INDEX IF NOT EXISTS parts_place ON parts (_attempt, _part);
CREATE INDEX IF NOT EXISTS staged_place ON staged (_attempt, _part, _batch);
CREATE INDEX IF NOT EXISTS log_number ON log (_number);
CREATE INDEX IF NOT EXISTS log_object ON log (_object, _number);
