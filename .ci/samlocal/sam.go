package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pim-functions/pim-functions/ci/stack"
)

// command is `sam local` on the functions that were built.
func (b *bench) command(ctx context.Context, arguments ...string) (*exec.Cmd, error) {
	text, err := json.Marshal(map[string]any{"Parameters": b.variables})
	if err != nil {
		return nil, err
	}
	variables := filepath.Join(b.folder, "variables.json")
	if err := os.WriteFile(variables, text, 0o600); err != nil {
		return nil, err
	}
	sam, err := filepath.Abs(filepath.Join(stack.Root, ".ci", "sam"))
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, sam, append(append([]string{"local"}, arguments...),
		"--template", ".artifacts/sam-local/template.yaml", "--env-vars", variables, "--parameter-overrides", "Architecture="+b.architecture, "--skip-pull-image")...)
	command.Dir = stack.Root
	return command, nil
}

// invoke runs one function with one event, and reads its answer.
func (b *bench) invoke(ctx context.Context, function string, event, answer any) error {
	text, err := json.Marshal(event)
	if err != nil {
		return err
	}
	file := filepath.Join(b.folder, function+".json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	command, err := b.command(ctx, "invoke", function, "--event", file)
	if err != nil {
		return err
	}
	var log strings.Builder
	command.Stderr = &log
	printed, err := command.Output()
	b.logs = append(b.logs, log.String())
	if err != nil {
		return fmt.Errorf("sam local invoke %s: %w", function, err)
	}
	lines := strings.Split(strings.TrimSpace(string(printed)), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), answer); err != nil {
		return fmt.Errorf("sam local invoke %s: it printed no answer: %q", function, printed)
	}
	return nil
}

// start starts `sam local start-api` on a free port of the loopback interface. Stop ends it, and keeps its log.
func (b *bench) start(ctx context.Context) (address string, stop func(), err error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	host := free.Addr().String()
	free.Close()
	_, port, _ := net.SplitHostPort(host)
	command, err := b.command(ctx, "start-api", "--port", port, "--warm-containers", "EAGER")
	if err != nil {
		return "", nil, err
	}
	log, err := os.Create(filepath.Join(b.folder, "start-api.log"))
	if err != nil {
		return "", nil, err
	}
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return "", nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	stop = func() {
		syscall.Kill(-command.Process.Pid, syscall.SIGINT) // it removes its containers then
		select {
		case <-ended:
		case <-time.After(time.Minute):
			syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		}
		text, _ := os.ReadFile(log.Name())
		b.logs = append(b.logs, string(text))
		log.Close()
	}
	err = stack.Until(ctx, 4*time.Minute, "sam local start-api listens", func() (bool, error) {
		select {
		case <-ended:
			ended <- nil
			return false, errors.New("sam local start-api has ended")
		default:
		}
		connection, err := net.DialTimeout("tcp", host, time.Second)
		if err == nil {
			connection.Close()
		}
		return err == nil, nil
	})
	if err != nil {
		stop()
		return "", nil, err
	}
	return "http://" + host, stop, nil
}
