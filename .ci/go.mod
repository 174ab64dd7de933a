// The checks of the project that need more than Go alone: an emulator of AWS, SAM CLI, Docker, a call graph.
module github.com/pim-functions/pim-functions/ci

go 1.26.0

require golang.org/x/tools v0.51.0

require (
	golang.org/x/mod v0.41.0 // indirect
	golang.org/x/sync v0.23.0 // indirect
)

replace github.com/pim-functions/pim-functions => ..
