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

	"github.com/pim-functions/pim-functions/functions/action"
	"github.com/pim-functions/pim-functions/functions/contentful"
	"github.com/pim-functions/pim-functions/functions/data"
	"github.com/pim-functions/pim-functions/functions/eventplatform"
	"github.com/pim-functions/pim-functions/functions/eventsapi"
	"github.com/pim-functions/pim-functions/functions/iframe"
	"github.com/pim-functions/pim-functions/functions/local/gateway"
	"github.com/pim-functions/pim-functions/functions/worker"
	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/web"
)

// Options are what a System needs.
type Options struct {
	Port         int                              // on 127.0.0.1; 0: any that is free
	PIMPort      int                              // of the pages that play the PIM; 0: any that is free
	ConfigFile   string                           // "": the extensions.yaml of the project
	SecretsFile  string                           // "": sample values
	Lookup       func(name string) (string, bool) // variables of the process, for ${NAME} in the configuration
	AWS          *awsconfig.Config                // an endpoint to stand on; nil: memory
	AllowPrivate bool                             // outbound calls may reach private addresses, and http
	Demo         bool                             // Run presses a button on start, and prints its way
	Log          io.Writer                        // short lines
	Level        slog.Level                       // of these lines; the page shows all
}

// System is the whole of the project in one process.
type System struct {
	backing
	config        *config.Config
	signing       *secrets.Cache[secrets.Signing]
	recorder      *Recorder
	destination   *Destination
	simulator     *Simulator
	log           *slog.Logger
	handler       *logHandler // the log's
	action        http.Handler
	eventsAPI     http.Handler
	eventPlatform http.Handler
	iframe        http.Handler
	data          http.Handler
	contentful    http.Handler
	control       http.Handler // page and control routes
	pollers       []poller     // one for each queue

	listener net.Listener
	server   *http.Server
	polling  sync.WaitGroup
	stopping chan struct{}      // closed when the page's streams must end
	receive  context.CancelFunc // ends polling
	work     context.CancelFunc // ends what the worker does
}

// Open builds a System that listens but does nothing yet. Its error is one that a user can act on.
func Open(ctx context.Context, options Options) (*System, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(options.Port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is taken: set PORT=%d or another that is free", options.Port, options.Port+1)
	}
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &System{
		listener: listener, recorder: newRecorder(), destination: newDestination(), stopping: make(chan struct{}),
	}
	s.handler = newLogHandler(options.Log, options.Level, s.recorder)
	s.log = slog.New(s.handler)
	if s.simulator, err = newSimulator(s, options.PIMPort); err != nil {
		listener.Close()
		return nil, err
	}
	if err := s.build(ctx, options); err != nil {
		listener.Close()
		s.simulator.listener.Close()
		return nil, err
	}
	return s, nil
}

// build is the composition root: the same parts as on AWS, on other ground.
func (s *System) build(ctx context.Context, options Options) error {
	var err error
	if s.config, err = s.loadConfig(options); err != nil {
		return err
	}
	source := localSecrets{options.SecretsFile, s.Port()}
	if options.AWS == nil {
		s.backing = inMemory(source, s.recorder, s.log)
	} else if s.backing, err = atEndpoint(ctx, *options.AWS, source); err != nil {
		return fmt.Errorf("AWS_ENDPOINT_URL: %w", err)
	}

	now := time.Now
	s.signing = secrets.NewCache(secrets.CacheConfig[secrets.Signing]{
		Source: s.secrets, ID: signingID, Parse: secrets.ParseSigning, Life: time.Second, Pause: time.Second, Log: s.log,
	})
	connections := secrets.NewCache(secrets.CacheConfig[secrets.Connections]{
		Source: s.secrets, ID: connectionsID, Parse: secrets.ParseConnections, Life: time.Second, Log: s.log,
	})
	for _, get := range []func() error{
		func() error { _, err := s.signing.Get(ctx); return err },
		func() error { _, err := connections.Get(ctx); return err },
	} {
		if err := get(); err != nil {
			return fmt.Errorf("read secrets: %w", err)
		}
	}

	metrics := func(function string) *metric.Sink {
		return metric.New(metric.Config{Writer: io.Discard, Function: function, Now: now, Observe: s.recorder.measured})
	}
	mount := func(function string, handler web.Handler, maxBody int) http.Handler {
		return gateway.HTTP(s.explained(web.New(web.Config{
			Function: function, Handler: handler, MaxBody: maxBody, Log: s.log, Metrics: metrics(function), Now: now,
		}).Invoke))
	}
	submitter := jobs.NewSubmitter(jobs.SubmitConfig{Store: s.store, Queue: s.jobs, Now: now})
	s.action = mount("action", action.New(action.Config{
		Config: s.config, Signing: s.signing, Jobs: submitter,
		Store: s.store, Samples: true, Now: now, Metrics: metrics("action"),
	}), action.MaxBody)
	s.iframe = mount("iframe", iframe.New(iframe.Config{
		Config: s.config, Signing: s.signing, Jobs: submitter,
		Store: s.store, Samples: true, Now: now, Metrics: metrics("iframe"),
	}), iframe.MaxBody)
	s.contentful = mount("contentful", contentful.New(contentful.Config{
		Config: s.config, Signing: s.signing, Jobs: submitter,
		Samples: true, Now: now, Metrics: metrics("contentful"),
	}), contentful.MaxBody)
	s.data = mount("data", data.New(data.Config{
		Config: s.config, Signing: s.signing, Jobs: s.store, Ledger: s.ledger, Gaps: s.gaps, Samples: true, Now: now, Metrics: metrics("data"),
	}), data.MaxBody)
	s.eventsAPI = mount("eventsapi", eventsapi.New(eventsapi.Config{
		Config: s.config, Signing: s.signing, Queue: s.events, Samples: true, Now: now, Metrics: metrics("eventsapi"),
	}), eventsapi.MaxBody)
	s.eventPlatform = mount("eventplatform", eventplatform.New(eventplatform.Config{
		Config: s.config, Signing: s.signing, Queue: s.events, Samples: true, Now: now, Metrics: metrics("eventplatform"),
	}), eventplatform.MaxBody)

	client := outbound.New(outbound.Config{AllowPrivate: options.AllowPrivate, Observe: s.recorder.called, Now: now})
	works := worker.New(worker.Config{
		Engine: engine.New(engine.Config{
			Config: s.config,
			Kinds:  actions.Kinds(actions.Deps{Outbound: client, Bus: s.bus}),
			Store:  s.store,
			Queue:  s.jobs,
			Ledger: s.ledger, Gaps: s.gaps, Events: s.events, EventLetters: s.eventLetters,
			Secrets: worker.Secrets(connections),
			Log:     s.log,
			Metrics: metrics("worker"),
			Now:     now,
		}),
		MaxReceives: maxReceives,
		Log:         s.log,
	})
	s.pollers = []poller{
		{queue: s.jobs, batch: jobsBatch, handle: works.Handle, log: s.log},
		{queue: s.events, batch: eventsBatch, handle: works.Handle, log: s.log},
	}
	s.control = s.controlRoutes()
	s.server = &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(s.handler, slog.LevelDebug),
	}
	return nil
}

// loadConfig reads extensions.yaml with the variables that only this system knows.
func (s *System) loadConfig(options Options) (*config.Config, error) {
	file, text := config.File, config.Embedded()
	if options.ConfigFile != "" {
		read, err := os.ReadFile(options.ConfigFile)
		if err != nil {
			return nil, fmt.Errorf("read CONFIG_FILE: %w", err)
		}
		file, text = options.ConfigFile, read
	}
	own := map[string]string{
		"PIM_URL": s.simulator.URL(),
		"ERP_URL": s.URL() + destinationURL,
	}
	loaded, err := config.Load(config.Source{File: file, Text: text, Stage: config.Local, Lookup: func(name string) (string, bool) {
		if value, ok := options.Lookup(name); ok {
			return value, true
		}
		value, ok := own[name]
		return value, ok
	}})
	if err != nil {
		return nil, err
	}
	if err := loaded.CheckKinds(actions.Checks()); err != nil {
		return nil, err
	}
	for _, warning := range loaded.Warnings {
		s.log.Warn("configuration", "warning", warning.Error())
	}
	return loaded, nil
}

// Port is where the system listens.
func (s *System) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

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
		for range pollersPerQueue {
			s.polling.Go(func() { poller.run(receiving, working) })
		}
	}
	serve := func(server *http.Server, listener net.Listener) {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("server ended", "reason", "serve_failed", "error", err.Error())
		}
	}
	go serve(s.server, s.listener)
	go serve(s.simulator.server, s.simulator.listener)
}

// How long Stop lets what is under way end by itself, and then how long it may take to be written down.
const (
	graceOfWork = 2 * time.Second
	graceOfHTTP = 5 * time.Second
)

// Stop takes no more work, lets running jobs end for a moment (what does not goes back to the queue), answers the
// requests that are under way, and says what is left.
func (s *System) Stop() string {
	close(s.stopping)
	s.receive()
	hurry := time.AfterFunc(graceOfWork, s.work)
	s.polling.Wait()
	hurry.Stop()
	s.work()
	ctx, cancel := context.WithTimeout(context.Background(), graceOfHTTP)
	defer cancel()
	for _, server := range []*http.Server{s.simulator.server, s.server} {
		if err := server.Shutdown(ctx); err != nil {
			server.Close()
		}
	}
	return s.left(ctx)
}

// left says in one line what has not ended.
func (s *System) left(ctx context.Context) string {
	all, err := s.allJobs(ctx)
	if err != nil {
		return "Stopped. What is left could not be read: " + err.Error()
	}
	open, ended := map[jobs.State]int{}, len(all)
	for _, job := range all {
		if read := job.AsOf(time.Now()); !read.State.Ended() {
			open[read.State]++
			ended--
		}
	}
	letters, err := s.letters.Depth(ctx)
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
	if s.name == inProcess {
		return left + "that was in memory, and is gone."
	}
	return left + "that stays at " + s.name + "."
}
