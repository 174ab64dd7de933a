package stack

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// A function that is not listed is one whose log nobody prints when a walk fails.
func TestEveryFunctionOfTheTemplateIsListed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", Root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, match := range regexp.MustCompile(`FunctionName: !Sub \$\{AWS::StackName\}-(\w+)`).FindAllSubmatch(text, -1) {
		named = append(named, string(match[1]))
	}
	listed := slices.Sorted(slices.Values(Functions))
	slices.Sort(named)
	if len(named) == 0 || !slices.Equal(named, listed) {
		t.Errorf("the template has %q, listed are %q", named, listed)
	}
}
