package forward

// Read is read, for its fuzz test.
var Read = read
