package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Root is the project's folder, as seen from .ci, where these programs run.
const Root = ".."

// Run runs a command in the project's folder with further variables (NAME=VALUE), and returns what it printed.
func Run(ctx context.Context, variables []string, name string, arguments ...string) (string, error) {
	if strings.HasPrefix(name, ".") { // below the project's folder
		absolute, err := filepath.Abs(filepath.Join(Root, name))
		if err != nil {
			return "", err
		}
		name = absolute
	}
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir, command.Env = Root, append(os.Environ(), variables...)
	var complaints strings.Builder
	command.Stderr = &complaints
	printed, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(arguments, " "), err, printed, complaints.String())
	}
	return string(printed), nil
}

// Until waits for what comes by itself, at most for the time that is given.
func Until(ctx context.Context, patience time.Duration, what string, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if there, err := holds(); there || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("still waiting after %s until %s", patience, what)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
