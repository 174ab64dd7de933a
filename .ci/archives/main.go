// Archives makes the functions' archives, and checks those that SAM CLI made. It runs in .ci.
//
//	archives                                       what `make archives` does
//	archives check FOLDER AGAIN PROCESSOR NAME…    what `make verify` does with two builds of the functions NAME…
package main

import (
	"fmt"
	"os"
)

// root is the project's folder, as seen from .ci.
const root = ".."

func main() {
	var err error
	switch {
	case len(os.Args) == 1:
		err = makeArchives()
	case len(os.Args) > 5 && os.Args[1] == "check":
		err = check(os.Args[2], os.Args[3], os.Args[4], os.Args[5:])
	default:
		fmt.Fprintln(os.Stderr, "usage: archives, or: archives check FOLDER AGAIN PROCESSOR NAME…")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "archives:", err)
		os.Exit(1)
	}
}
