package functions_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/schedule"
)

// documents are the project's pages, by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && name != "." && name != ".github"):
			return fs.SkipDir // what tools keep
		case entry.IsDir() || path.Ext(name) != ".md":
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		all[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 5 {
		t.Fatalf("the documents were not found: %v", slices.Collect(maps.Keys(all)))
	}
	return all
}

// named is extensions.yaml as sections of named parts.
type named = map[string]map[string]any

// Every YAML block of every document is a part of extensions.yaml, and right. What it leaves out (the PIMs, actions and
// selections that it names) comes from the blocks above it, or from the file that ships.
func TestTheYAMLOfTheDocuments(t *testing.T) {
	block := regexp.MustCompile("(?s)\n```yaml\n(.*?)\n```\n")
	shipped, blocks := named{}, 0
	if err := yaml.Unmarshal(config.Embedded(), &shipped); err != nil {
		t.Fatal(err)
	}
	for name, text := range documents(t) {
		above := named{}
		for _, at := range block.FindAllStringSubmatchIndex(text, -1) {
			blocks++
			line := 2 + strings.Count(text[:at[2]-1], "\n")
			if err := loads(text[at[2]:at[3]], above, shipped); err != nil {
				t.Errorf("%s:%d: %v", name, line, err)
			}
		}
	}
	if blocks < 20 {
		t.Errorf("%d blocks: they were not found", blocks)
	}
}

// loads reads a block for the local stage, and keeps what it names in above.
func loads(block string, above, shipped named) error {
	var own, whole named
	if err := yaml.Unmarshal([]byte(block), &own); err != nil {
		return err
	}
	if err := yaml.Unmarshal([]byte(block), &whole); err != nil {
		return err
	}
	_, complete := own["pims"] // and has all that it names
	for _, section := range []string{"pims", "actions", "selections"} {
		for _, more := range []named{above, shipped, {"pims": {"outlet": map[string]any{"url": "https://outlet.example.com"}}}} {
			if complete && own["actions"] != nil {
				break
			}
			for name, value := range more[section] {
				if whole[section] == nil {
					whole[section] = map[string]any{}
				}
				if _, is := whole[section][name]; !is {
					whole[section][name] = value
				}
			}
		}
		if above[section] == nil {
			above[section] = map[string]any{}
		}
		maps.Copy(above[section], own[section])
	}
	text, err := yaml.Marshal(whole)
	if err != nil {
		return err
	}
	loaded, err := config.Load(config.Source{
		File: "the block", Text: text, Stage: config.Local, Kinds: actions.Checks(), Cron: schedule.Check,
		Lookup: func(name string) (string, bool) {
			if strings.HasSuffix(name, "_ARN") {
				return "arn:aws:states:eu-west-1:123456789012:stateMachine:" + name, true
			}
			return "https://" + strings.ToLower(strings.ReplaceAll(name, "_", "-")) + ".example.com", true
		},
	})
	if err == nil && len(loaded.Warnings) > 0 {
		err = loaded.Warnings
	}
	if problems, ok := errors.AsType[config.Problems](err); ok { // their lines are those of the whole
		return fmt.Errorf("%w, at %q", err, strings.Split(string(text), "\n")[problems[0].Line-1])
	}
	return err
}

// Every link of a document to another part of the project leads to a file that is there, and to a heading that it has.
func TestTheLinksOfTheDocuments(t *testing.T) {
	all := documents(t)
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	links := 0
	for name, text := range all {
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			links++
			file, heading, _ := strings.Cut(found[1], "#")
			to := name
			if file != "" {
				to = path.Join(path.Dir(name), file)
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s: %s leads nowhere", name, found[1])
			} else if heading != "" && !slices.Contains(anchors(all[to]), heading) {
				t.Errorf("%s: %s: there is no such heading", name, found[1])
			}
		}
	}
	if links < 20 {
		t.Errorf("%d links: they were not found", links)
	}
}

// anchors are the names that GitHub gives to a document's headings.
func anchors(text string) (all []string) {
	times := map[string]int{}
	code := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			code = !code
		}
		if code || !strings.HasPrefix(line, "#") {
			continue
		}
		heading := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
		anchor := strings.ReplaceAll(regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(heading, ""), " ", "-")
		if times[anchor]++; times[anchor] > 1 {
			anchor = fmt.Sprintf("%s-%d", anchor, times[anchor]-1)
		}
		all = append(all, anchor)
	}
	return all
}
