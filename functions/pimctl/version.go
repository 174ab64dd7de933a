package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build is what the Go toolchain knows of this program.
type build struct {
	Version  string `json:"version"`            // of the module: (devel) from a working copy
	Revision string `json:"revision,omitempty"` // of the sources
	Modified bool   `json:"modified"`           // they had changes that no revision has
	Time     string `json:"time,omitempty"`     // of the revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (p process) version() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:     "version",
		Short:   "Say from which sources this program was built",
		GroupID: groupProgram,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			own := readBuild(debug.ReadBuildInfo())
			if asJSON {
				return printJSON(p.out, own)
			}
			fmt.Fprintln(p.out, own)
			return nil
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return command
}

func readBuild(info *debug.BuildInfo, ok bool) build {
	own := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if !ok {
		return own
	}
	own.Version = cmp.Or(info.Main.Version, own.Version)
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			own.Revision = setting.Value
		case "vcs.time":
			own.Time = setting.Value
		case "vcs.modified":
			own.Modified = setting.Value == "true"
		}
	}
	return own
}

func (b build) String() string {
	text := "pimctl " + b.Version
	if b.Revision != "" {
		text += ", revision " + b.Revision[:min(12, len(b.Revision))]
		if b.Modified {
			text += " with changes"
		}
		text += " of " + b.Time
	}
	return text + ", " + b.Go + " " + b.Platform
}
