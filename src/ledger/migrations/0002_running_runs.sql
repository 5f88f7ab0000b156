-- Before each run: is another one of the same table still going on?
create index run_running on icewright.run (table_key) where state = 'running';
