DROP EXTENSION timescaledb;
