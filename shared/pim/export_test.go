package pim

// DecodeProduct is decodeProduct, for its fuzz test.
var DecodeProduct = decodeProduct

// ReadLines is readLines, for its fuzz test.
var ReadLines = readLines
