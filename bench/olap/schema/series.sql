CREATE TABLE series (
  sensor integer NOT NULL,
  taken_at timestamp NOT NULL,
  reading double precision NOT NULL,
  PRIMARY KEY (sensor, taken_at)
);
