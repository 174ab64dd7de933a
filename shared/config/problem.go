package config

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong, or odd, in the file.
type Problem struct {
	File    string
	Line    int
	Message string // what is wrong
	Remedy  string // what to do
	Odd     bool   // it may be right: of what a kind reports, a warning
}

func (p *Problem) Error() string {
	text := fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
	if p.Remedy != "" {
		text += "; " + p.Remedy
	}
	return text
}

// Problems is all that is wrong with a file, in the order of its lines.
type Problems []*Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}
