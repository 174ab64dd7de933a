package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// confirmed asks a question on a stream. No answer is a no.
func (p process) confirmed(on io.Writer, question string, args ...any) bool {
	fmt.Fprintf(on, question+" [y/N] ", args...)
	answer, _ := bufio.NewReader(p.in).ReadString('\n')
	fmt.Fprintln(on)
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}
