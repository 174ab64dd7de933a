package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pim-functions/pim-functions/functions/clock"
	"github.com/pim-functions/pim-functions/functions/local/cloud"
	"github.com/pim-functions/pim-functions/functions/local/destination"
	"github.com/pim-functions/pim-functions/functions/local/inspector"
	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// Options are what a System needs.
type Options struct {
	Port         int                              // on 127.0.0.1; 0: any that is free
	PIMPort      int                              // of the pages that play the PIM; 0: any that is free
	ConfigFile   string                           // "": the extensions.yaml of the project
	SecretsFile  string                           // "": sample values
	Lookup       func(name string) (string, bool) // variables of the process, for ${NAME} in the configuration
	Catalogue    string                           // a file of pimtest.Catalogue's shape that the played PIM holds; "": its own goods
	MailFolder   string                           // where e-mail is written; "": a folder of the machine's for temporary files
	AWS          *awsconfig.Config                // an endpoint to run on; nil: memory
	AllowPrivate bool                             // outbound calls may reach private addresses, and http
	Demo         bool                             // Run presses a button on start, and prints its way
	Log          io.Writer                        // short lines
	Level        slog.Level                       // of these lines; the page shows all
}

// System is the whole of the project in one process. Build makes its parts, Start begins the work.
type System struct {
	listener, pimListener net.Listener
	servers               []*http.Server // in the order in which they stop

	config      *config.Config
	signing     *secrets.Cache[secrets.Signing]
	links       *secrets.Cache[secrets.Links]
	cloud       *cloud.Cloud
	folder      string // of files, which go with the process
	downloads   *cloud.Downloads
	pim         *pim.PIM
	destination *destination.Destination
	inspector   *inspector.Inspector
	recorder    *inspector.Recorder
	terminal    *inspector.Log
	log         *slog.Logger // over terminal
	functions   functions
	clock       *clock.Clock
	outbound    *outbound.Client // calls of the functions, which the recorder sees
	pollers     []cloud.Poller   // one for each queue

	polling sync.WaitGroup
	receive context.CancelFunc // ends polling
	work    context.CancelFunc // ends what the worker does
}

// Open builds a System that listens but does nothing yet. Its error is one that a user can act on.
func Open(ctx context.Context, options Options) (*System, error) {
	listener, err := listen(options.Port, fmt.Sprintf("set PORT=%d or another that is free", options.Port+1))
	if err != nil {
		return nil, err
	}
	pimListener, err := listen(options.PIMPort, "set PIM_PORT to one that is free, or not at all")
	if err != nil {
		listener.Close()
		return nil, err
	}
	s := &System{listener: listener, pimListener: pimListener}
	if err := s.build(ctx, options); err != nil {
		listener.Close()
		pimListener.Close()
		os.RemoveAll(s.folder)
		return nil, err
	}
	return s, nil
}

// listen opens a port of this machine. The remedy is for a port that somebody else has.
func listen(port int, remedy string) (net.Listener, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is taken: %s", port, remedy)
	}
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return listener, nil
}

// port of a listener.
func port(listener net.Listener) int { return listener.Addr().(*net.TCPAddr).Port }

// Port is where the system listens.
func (s *System) Port() int { return port(s.listener) }

// URL is where the system can be reached.
func (s *System) URL() string { return "http://127.0.0.1:" + strconv.Itoa(s.Port()) }

// BrowserURL is the origin under which a browser knows the system: another site than that of the PIM.
func (s *System) BrowserURL() string { return "http://localhost:" + strconv.Itoa(s.Port()) }

// Start serves and polls until Stop.
func (s *System) Start() {
	receiving, receive := context.WithCancel(context.Background())
	working, work := context.WithCancel(context.Background())
	s.receive, s.work = receive, work
	for _, poller := range s.pollers {
		for range cloud.PollersPerQueue {
			s.polling.Go(func() { poller.Run(receiving, working) })
		}
	}
	s.polling.Go(func() { s.tick(receiving) })
	serve := func(handler http.Handler, listener net.Listener) {
		server := &http.Server{
			Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
			ErrorLog: slog.NewLogLogger(s.terminal, slog.LevelDebug),
		}
		s.servers = append(s.servers, server)
		go func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				s.log.Error("server ended", "reason", "serve_failed", "error", err.Error())
			}
		}()
	}
	serve(s.pim, s.pimListener)
	serve(s, s.listener)
}

// tick starts the schedules that are due, each second: on AWS it is each minute.
func (s *System) tick(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = s.clock.Tick(ctx) // it logs what it could not start, and tries again
		}
	}
}

// How long Stop lets running jobs end by themselves, and requests be answered.
const (
	workGrace = 2 * time.Second
	httpGrace = 5 * time.Second
)

// Stop takes no more work, lets running jobs end for two seconds (the others go back to the queue), answers the requests
// that are under way, and returns in one line what is left.
func (s *System) Stop() string {
	s.inspector.Close()
	s.receive()
	hurry := time.AfterFunc(workGrace, s.work)
	s.polling.Wait()
	hurry.Stop()
	s.work()
	ctx, cancel := context.WithTimeout(context.Background(), httpGrace)
	defer cancel()
	for _, server := range s.servers {
		if err := server.Shutdown(ctx); err != nil {
			server.Close()
		}
	}
	if err := os.RemoveAll(s.folder); err != nil {
		s.log.Warn("files are left in the temporary folder", "reason", "folder_left", "error", err.Error())
	}
	return s.left(ctx)
}

// left is a line about what has not ended.
func (s *System) left(ctx context.Context) string {
	all, err := s.cloud.AllJobs(ctx)
	if err != nil {
		return "Stopped. What is left could not be read: " + err.Error()
	}
	open, ended := map[jobs.State]int{}, len(all)
	for _, job := range all {
		if now := job.AsOf(time.Now()); !now.State.Ended() {
			open[now.State]++
			ended--
		}
	}
	letters, err := s.cloud.JobLetters.Depth(ctx)
	if err != nil {
		return "Stopped. What is left could not be read: " + err.Error()
	}
	var parts []string
	for _, state := range []jobs.State{jobs.Recorded, jobs.Queued, jobs.Running, jobs.Waiting} {
		if n := open[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if n := letters.Visible + letters.InFlight; n > 0 {
		parts = append(parts, fmt.Sprintf("%d in the dead letters", n))
	}
	if len(parts) == 0 {
		return fmt.Sprintf("Stopped. Jobs ended: %d. Nothing is left.", ended)
	}
	left := fmt.Sprintf("Stopped. Jobs ended: %d. Left: %s; ", ended, strings.Join(parts, ", "))
	if s.cloud.Name == cloud.Process {
		return left + "that was in memory, and is gone."
	}
	return left + "that stays at " + s.cloud.Name + "."
}
