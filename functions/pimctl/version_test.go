package main

import (
	"encoding/json"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionIsThatOfTheBuild(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.time", Value: "2026-11-25T15:00:00Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	if got := readBuild(info, true).String(); !strings.HasPrefix(got, "pimctl v1.2.3, revision 0123456789ab with changes of 2026-11-25T15:00:00Z, go1.") {
		t.Errorf("got %s", got)
	}
	if got := readBuild(nil, false).String(); !strings.HasPrefix(got, "pimctl (devel), go1.") {
		t.Errorf("of a build that tells nothing: %s", got)
	}
	code, out, errs := pimctl(t, nil, "version", "--json")
	var own build
	if err := json.Unmarshal([]byte(out), &own); code != succeeded || err != nil || own.Version == "" || own.Go == "" || own.Platform == "" {
		t.Errorf("ends with %d: %s%s%v", code, out, errs, err)
	}
}
