package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
)

// finding is something in the file that is wrong, or odd.
type finding struct {
	File    string   `json:"file,omitempty"`
	Line    int      `json:"line,omitempty"`
	Message string   `json:"message"`
	Remedy  string   `json:"remedy,omitempty"`
	Stages  []string `json:"stages"` // in which it was found
	text    string   // for people
}

// add adds the parts of an error that a stage has. What other stages have too is one finding.
func add(to []finding, stage string, err error) []finding {
	for _, one := range apart(err) {
		at := slices.IndexFunc(to, func(known finding) bool { return known.text == one.text })
		if at < 0 {
			at, to = len(to), append(to, one)
		}
		to[at].Stages = append(to[at].Stages, stage)
	}
	return to
}

// noted adds its stages to the text of what is not in all stages.
func noted(all []finding, stages int) []finding {
	noted := []finding{}
	for _, one := range all {
		if len(one.Stages) < stages {
			one.text += " (stage " + strings.Join(one.Stages, ", ") + ")"
		}
		noted = append(noted, one)
	}
	return noted
}

// apart takes an error apart into what stands on a line each.
func apart(err error) (all []finding) {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			all = append(all, apart(one)...)
		}
		return all
	}
	problems, ok := errors.AsType[config.Problems](err)
	if one, single := errors.AsType[*config.Problem](err); !ok && single {
		problems = config.Problems{one}
	}
	for _, one := range problems {
		all = append(all, finding{File: one.File, Line: one.Line, Message: one.Message, Remedy: one.Remedy, text: one.Error()})
	}
	if len(problems) == 0 {
		all = []finding{{Message: err.Error(), text: err.Error()}}
	}
	return all
}
