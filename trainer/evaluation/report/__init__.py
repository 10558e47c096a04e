"""What a run is told by: an HTML page, a table, JUnit XML, JSON and a chart. Pure: each writes to a given stream."""
