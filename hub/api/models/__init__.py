"""What the API says and takes, typed for OpenAPI. Times are UTC; fractions 0..1; places WGS 84.

Members are written out where the row behind an answer holds more than the API promises; a row of
`hub.store.view_rows` that says just this and needs no word of explanation is its own answer.
"""
