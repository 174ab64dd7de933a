package local

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/functions/clock"
	"github.com/pim-functions/pim-functions/functions/data"
	"github.com/pim-functions/pim-functions/functions/local/cloud"
	"github.com/pim-functions/pim-functions/functions/local/destination"
	"github.com/pim-functions/pim-functions/functions/local/inspector"
	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/functions/worker"
	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/actions/notify"
	"github.com/pim-functions/pim-functions/shared/actions/publish"
	"github.com/pim-functions/pim-functions/shared/actions/statemachine"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/schedule"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/startup"
)

// build puts the parts together: those of AWS, and those that play what is around them.
func (s *System) build(ctx context.Context, options Options) error {
	s.recorder, s.destination = inspector.NewRecorder(), destination.New()
	s.terminal = inspector.NewLog(options.Log, options.Level, s.recorder)
	s.log = slog.New(s.terminal)
	var err error
	if s.config, err = s.loadConfig(options); err != nil {
		return err
	}
	source := cloud.Secrets{Path: options.SecretsFile, Port: s.Port(), Made: cloud.MakeLinks()}
	if s.folder, err = os.MkdirTemp("", "pim-functions-files-"); err != nil {
		return fmt.Errorf("make folder for files: %w", err)
	}
	folder, err := files.NewFolder(s.folder)
	if err != nil {
		return err
	}
	s.downloads = &cloud.Downloads{Origin: s.URL(), Secret: rand.Text(), Files: folder, Now: time.Now, Log: s.log}
	if options.AWS == nil {
		s.cloud = cloud.Memory(cloud.MemoryConfig{Secrets: source, Downloads: s.downloads, Published: s.published, Started: s.started, Log: s.log})
	} else if s.cloud, err = cloud.Endpoint(ctx, *options.AWS, source); err != nil {
		return fmt.Errorf("AWS_ENDPOINT_URL: %w", err)
	}
	s.signing = secrets.NewCache(secrets.CacheConfig[secrets.Signing]{
		Source: s.cloud.Secrets, ID: cloud.Signing, Parse: secrets.ParseSigning, Life: time.Second, Pause: time.Second, Log: s.log,
		Failed: s.notRead(cloud.Signing),
	})
	signing, err := s.signing.Get(ctx)
	if err != nil {
		return fmt.Errorf("read secrets: %w", err)
	}
	s.links = secrets.NewCache(secrets.CacheConfig[secrets.Links]{
		Source: s.cloud.Secrets, ID: cloud.Links, Parse: secrets.ParseLinks, Life: time.Second, Pause: time.Second, Log: s.log,
		Failed: s.notRead(cloud.Links),
	})
	if _, err := s.links.Get(ctx); err != nil {
		return fmt.Errorf("read secrets: %w", err)
	}
	connections := secrets.NewCache(secrets.CacheConfig[secrets.Connections]{
		Source: s.cloud.Secrets, ID: cloud.Connections, Parse: secrets.ParseConnections, Life: time.Second, Log: s.log,
	})
	known, err := worker.Secrets(connections)(ctx)
	if err != nil {
		return fmt.Errorf("read secrets: %w", err)
	}
	problems := append(problems(s.config, signing, known), s.lookupProblems(ctx)...)
	for _, problem := range problems {
		s.log.Warn("configuration", "problem", problem)
	}

	address, err := url.Parse(s.URL())
	if err != nil {
		return fmt.Errorf("own address: %w", err)
	}
	rest, err := playedPIM(ctx, options.Catalogue, connections)
	if err != nil {
		return err
	}
	platform, err := s.register(ctx, rest, signing, connections)
	if err != nil {
		return err
	}
	s.pim = pim.New(pim.Config{
		URL: s.pimURL(), Functions: address, Frames: s.BrowserURL(), Extensions: s.config, Signing: s.signing, REST: rest, Platform: platform,
	})
	s.inspector = inspector.New(inspector.Config{
		Functions: address, Extensions: s.config, Signing: s.signing, Cloud: s.cloud, PIM: s.pim, Destination: s.destination,
		Recorder: s.recorder, Log: s.log, Problems: problems,
	})
	s.outbound = outbound.New(outbound.Config{AllowPrivate: options.AllowPrivate, Observe: s.recorder.Called, Now: time.Now})
	s.functions = s.mount()
	s.clock = clock.New(clock.Config{
		Schedules: s.config.Schedules, Ticks: s.cloud.Ticks,
		Jobs: jobs.NewSubmitter(jobs.SubmitConfig{Store: s.cloud.Store, Queue: s.cloud.Jobs, Now: time.Now}),
		Log:  s.log, Metrics: s.metrics("clock"), Now: time.Now,
	})
	works := s.worker(options, connections)
	s.pollers = []cloud.Poller{
		{Queue: s.cloud.Jobs, Batch: cloud.JobsBatch, Handle: works.Handle, Log: s.log},
		{Queue: s.cloud.Events, Batch: cloud.EventsBatch, Window: cloud.EventsWindow, Handle: works.Handle, Log: s.log},
	}
	return nil
}

// published shows what is put on the bus, to the approver too, who waits for nothing else.
func (s *System) published(entry publish.Entry) {
	s.recorder.Published(entry)
	s.destination.Ask("the event bus: "+entry.DetailType, entry.Detail)
}

// started shows the execution of a state machine, to the approver too: locally all state machines ask one.
func (s *System) started(execution statemachine.Execution) {
	s.recorder.Started(execution)
	_, name, _ := strings.Cut(execution.Machine, ":stateMachine:")
	s.destination.Ask("the state machine "+name, execution.Input)
}

// playedPIM is the PIM's REST API in memory, over its own goods or over a catalogue from a file. Whoever the connection
// secret names may call it.
func playedPIM(ctx context.Context, file string, connections *secrets.Cache[secrets.Connections]) (*pimtest.PIM, error) {
	document, err := connections.Get(ctx)
	if err != nil {
		return nil, fmt.Errorf("read secrets: %w", err)
	}
	var catalogue *pimtest.Catalogue // none: the PIM's own
	if file != "" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("read the catalogue: %w", err)
		}
		defer opened.Close()
		if catalogue, err = pimtest.Read(opened); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	var known []pimtest.Connection
	for _, own := range document.PIMs {
		known = append(known, pimtest.Connection{ClientID: own.ClientID, ClientSecret: own.ClientSecret, Username: own.Username, Password: own.Password})
	}
	return pimtest.New(pimtest.Config{Catalogue: catalogue, Connections: known, Now: time.Now}), nil
}

// pimURL is the origin of the PIM that is played.
func (s *System) pimURL() string { return fmt.Sprintf("http://127.0.0.1:%d", port(s.pimListener)) }

// worker is functions/worker's, with the kinds that it has on AWS.
func (s *System) worker(options Options, connections *secrets.Cache[secrets.Connections]) *worker.Worker {
	return worker.New(worker.Config{
		Engine: engine.New(engine.Config{
			Config: s.config,
			Kinds: actions.Kinds(actions.Deps{
				Outbound: s.outbound, Bus: s.cloud.Bus, Mailer: s.mailer(options), EmailFrom: "pim-functions@example.com",
				Machines: s.cloud.Machines, Profiles: s.cloud.Profiles, Signals: s.cloud.Store,
			}),
			Store: s.cloud.Store, Profiles: s.cloud.Profiles,
			Queue:  s.cloud.Jobs,
			Ledger: s.cloud.Ledger, Events: s.cloud.Events, EventLetters: s.cloud.EventLetters,
			Secrets: worker.Secrets(connections), Refresh: worker.Refresh(connections),
			PIM:      worker.PIMs(s.config, connections, outbound.New(outbound.Config{AllowPrivate: options.AllowPrivate, Now: time.Now})),
			Files:    s.cloud.Files,
			Link:     worker.Link(s.links, s.URL()),
			Callback: worker.Callback(s.links, s.URL()),
			Log:      s.log,
			Metrics:  s.metrics("worker"),
			Now:      time.Now,
		}),
		MaxReceives: cloud.MaxReceives,
		Log:         s.log,
	})
}

// lookupProblems are what keeps data components from looking anything up.
func (s *System) lookupProblems(ctx context.Context) []string {
	var known secrets.Lookups
	document, err := s.cloud.Secrets.Get(ctx, cloud.Lookups)
	if err == nil {
		known, _, err = secrets.ParseLookups(document)
	}
	if err != nil && !errors.Is(err, secrets.ErrNotFound) {
		return []string{err.Error()}
	}
	return data.Missing(s.config, known)
}

// mailer writes e-mail into a folder: nothing here reaches anybody's mailbox.
func (s *System) mailer(options Options) notify.Mailer {
	folder := cmp.Or(options.MailFolder, filepath.Join(os.TempDir(), "pim-functions-mail"))
	return notify.NewFolder(notify.FolderConfig{Path: folder, Log: s.log, Observe: s.recorder.Mailed})
}

// notRead counts that a secret document could not be read, as package startup does on AWS.
func (s *System) notRead(document string) func() {
	return func() {
		s.metrics("").CountShared(startup.NotReadMetric, 1, metric.Dimension{Name: startup.DocumentDimension, Value: document})
	}
}

// metrics of a function, which the recorder sees and nobody else.
func (s *System) metrics(function string) *metric.Sink {
	return metric.New(metric.Config{Writer: io.Discard, Function: function, Now: time.Now, Observe: s.recorder.Measured})
}

// loadConfig reads extensions.yaml. Variables that the process does not set are the played PIM and destination.
func (s *System) loadConfig(options Options) (*config.Config, error) {
	file, text := config.File, config.Embedded()
	if options.ConfigFile != "" {
		read, err := os.ReadFile(options.ConfigFile)
		if err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		file, text = options.ConfigFile, read
	}
	played := map[string]string{
		"PIM_URL": s.pimURL(),
		"ERP_URL": s.URL() + destination.Path,
	}
	return config.Load(config.Source{File: file, Text: text, Stage: config.Local, Kinds: actions.Checks(), Cron: schedule.Check, Lookup: func(name string) (string, bool) {
		if value, ok := options.Lookup(name); ok {
			return value, true
		}
		if machine, ok := strings.CutSuffix(name, "_ARN"); ok {
			return "arn:aws:states:eu-west-1:000000000000:stateMachine:" + machine, true
		}
		value, ok := played[name]
		return value, ok
	}})
}
