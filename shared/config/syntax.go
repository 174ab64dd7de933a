package config

import (
	"slices"
	"strconv"
	"strings"
)

// countedFromZero begin messages of the YAML library's parser, which names the line before; its scanner does not.
var countedFromZero = []string{
	"did not find expected node content", "did not find expected key", "did not find expected '-' indicator",
	"did not find expected ',' or", "did not find expected <document start>",
}

// syntaxProblem turns the YAML library's error into ours: a text that is no YAML is told by one line, since what
// follows it means nothing.
func syntaxProblem(file string, text []byte, err error) error {
	problem := &Problem{File: file, Line: 1, Message: strings.TrimPrefix(err.Error(), "yaml: ")}
	if at, message, found := strings.Cut(problem.Message, ": "); found {
		if line, err := strconv.Atoi(strings.TrimPrefix(at, "line ")); err == nil {
			problem.Line, problem.Message = line, message
		}
	}
	if slices.ContainsFunc(countedFromZero, func(begin string) bool { return strings.HasPrefix(problem.Message, begin) }) {
		problem.Line++
	}
	lines := strings.Split(string(text), "\n")
	problem.Line = min(max(problem.Line, 1), len(lines))
	problem.Remedy = remedyFor(lines, problem)
	return Problems{problem}
}

// remedyFor looks at the line for what is wrong most often.
func remedyFor(lines []string, problem *Problem) string {
	line := lines[problem.Line-1]
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	switch {
	case strings.Contains(indent, "\t"):
		problem.Message = "a tab indents the line"
		return "indent with spaces"
	case strings.Contains(problem.Message, "UTF-8") || strings.Contains(problem.Message, "control characters"):
		return "save the file as UTF-8 text"
	case unquoted(line, "${"):
		return `write variables in quotes: "${NAME}"`
	case unquoted(line, "{{"):
		return `write templates in quotes: "{{.Label}}"`
	}
	return "check the indentation and the quotes around here"
}

// unquoted says whether a mark begins a value without a quote before it.
func unquoted(line, mark string) bool {
	before, _, found := strings.Cut(line, mark)
	return found && strings.HasSuffix(strings.TrimRight(before, " "), ":")
}
