package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/functions/action"
	"github.com/pim-functions/pim-functions/functions/callback"
	"github.com/pim-functions/pim-functions/functions/contentful"
	"github.com/pim-functions/pim-functions/functions/data"
	"github.com/pim-functions/pim-functions/functions/eventplatform"
	"github.com/pim-functions/pim-functions/functions/files"
	"github.com/pim-functions/pim-functions/functions/iframe"
	"github.com/pim-functions/pim-functions/functions/local/gateway"
	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/senders"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// deployedStage is a deployed stage with a played clock: several instances of each function, each with a cache of its own, secret
// documents, senders who know one secret each, and somebody who ends the operator's program at any call.
type deployedStage struct {
	t      *testing.T
	config *config.Config

	mu       sync.Mutex
	store    map[string]secrets.Document // by ID
	versions int
	away     bool // of the store, for the functions
	paths    map[string][]http.Handler
	turn     int
	held     map[string]register.Keys // what each sender proves itself with, by place
	slow     time.Duration            // until a sender uses what it was given
	uses     map[[2]string]time.Time
	notRead  map[string]time.Time
	given    map[string]int // calls of Give, by place
	hands    bool           // no API gives secrets to senders

	calls   int // of the operator's program, until now
	dies    int // at which call it is ended; 0: never
	after   bool
	kill    context.CancelFunc
	refused []string
	said    []string
}

// says fails unless the program has told something.
func (s *deployedStage) says(text string) {
	s.t.Helper()
	if !strings.Contains(strings.Join(s.said, "\n"), text) {
		s.t.Errorf("it does not say %q, but %q", text, s.said)
	}
}

var errKilled = errors.New("killed")

// call counts a call of the operator's program, and ends the program at one: before the call works, or after.
func (s *deployedStage) call(work func() error) error {
	s.mu.Lock()
	s.calls++
	dies := s.dies > 0 && s.calls == s.dies
	dead := s.dies > 0 && s.calls > s.dies
	s.mu.Unlock()
	if dies {
		defer s.kill()
	}
	if dead || dies && !s.after {
		return errKilled
	}
	if err := work(); err != nil {
		return err
	}
	if dies {
		return errKilled
	}
	return nil
}

// Get implements secrets.Source, for the functions.
func (s *deployedStage) Get(_ context.Context, id string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, errors.New("secrets manager is away")
	}
	return s.store[id].Text, nil
}

// operators is the store as the operator's program calls it.
type operators struct{ *deployedStage }

func (o operators) Get(ctx context.Context, id string) ([]byte, error) {
	document, err := o.Read(ctx, id)
	return document.Text, err
}

func (o operators) Read(_ context.Context, id string) (document secrets.Document, err error) {
	err = o.call(func() error {
		o.mu.Lock()
		defer o.mu.Unlock()
		document = o.store[id]
		return nil
	})
	return document, err
}

func (o operators) Replace(_ context.Context, id, version string, text []byte) error {
	return o.call(func() error {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.store[id].Version != version {
			return secrets.ErrChanged
		}
		o.versions++
		o.store[id] = secrets.Document{Text: text, Version: fmt.Sprint(o.versions)}
		return nil
	})
}

// RoundTrip sends a request to one of a function's instances, in turn.
func (s *deployedStage) RoundTrip(r *http.Request) (*http.Response, error) {
	word, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	s.turn++
	instances := s.paths[word]
	handler := instances[s.turn%len(instances)]
	s.mu.Unlock()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// probes are the operator's calls of the deployment.
type probes struct{ *deployedStage }

func (p probes) RoundTrip(r *http.Request) (response *http.Response, err error) {
	err = p.call(func() error {
		response, err = p.deployedStage.RoundTrip(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return response, nil
}

// Give implements register.Giver: the sender uses what it was given a while later.
func (s *deployedStage) Give(_ context.Context, place register.Place, keys register.Keys) error {
	if s.hands {
		return register.Hands{}.Give(s.t.Context(), place, keys)
	}
	return s.call(func() error { s.give(place, keys); return nil })
}

func (s *deployedStage) give(place register.Place, keys register.Keys) {
	time.AfterFunc(s.slow, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held[place.Name] = keys.Newest()
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.given[place.Name]++
}

// Last implements register.Uses.
func (s *deployedStage) Last(_ context.Context, list, fingerprint string, since time.Time) (last time.Time, err error) {
	err = s.call(func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if at := s.uses[[2]string{list, fingerprint}]; !at.Before(since) {
			last = at
		}
		return nil
	})
	return last, err
}

// Failures implements register.Uses.
func (s *deployedStage) Failures(_ context.Context, document string, since time.Time) (n int, err error) {
	err = s.call(func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if at := s.notRead[document]; !at.IsZero() && !at.Before(since) {
			n = 1
		}
		return nil
	})
	return n, err
}

func (s *deployedStage) measured(sample metric.Sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sample.Name == gate.UsesMetric {
		s.uses[[2]string{sample.Dimensions[0].Value, sample.Dimensions[1].Value}] = sample.Time
	}
}

type nowhere struct{}

func (nowhere) Send(context.Context, ...queue.Message) error { return nil }

// Times of the played stage: those of a deployment, in seconds instead of minutes.
var playedTimes = register.Times{Settle: 7 * time.Second, Quiet: 6 * time.Second, Links: 20 * time.Second, Poll: 3 * time.Second}

const instances = 3

func newStage(t *testing.T) *deployedStage {
	time.Sleep(time.Until(time.Date(2026, 3, 2, 10, 42, 0, 0, time.UTC))) // a bubble's clock begins before Contentful
	loaded, err := config.Load(config.Source{File: "extensions.yaml", Text: []byte(everySender), Stage: "dev", Kinds: actions.Checks(), Lookup: func(name string) (string, bool) {
		return "https://" + strings.ToLower(name[:3]) + ".example.com", true
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := &deployedStage{
		t: t, config: loaded, store: map[string]secrets.Document{}, paths: map[string][]http.Handler{}, held: map[string]register.Keys{}, slow: 3 * time.Second,
		uses: map[[2]string]time.Time{}, notRead: map[string]time.Time{}, given: map[string]int{},
	}
	filled, err := register.FillSigning([]byte(`{"note":"theirs"}`), loaded)
	if err != nil {
		t.Fatal(err)
	}
	s.store["signing"] = secrets.Document{Text: filled.Document, Version: "first"}
	s.store["links"] = secrets.Document{Text: []byte(`{"current":"the-first-secret-of-links-of-32-characters"}`), Version: "first"}
	signing, _, err := secrets.ParseSigning(filled.Document)
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range register.SecretPlaces(loaded) {
		s.held[place.Name] = place.Keys(signing).Newest()
	}
	for range instances {
		s.start()
	}
	return s
}

// start adds an instance of each function.
func (s *deployedStage) start() {
	failed := func(id string) func() {
		return func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.notRead[id] = time.Now()
		}
	}
	signing := secrets.NewCache(secrets.CacheConfig[secrets.Signing]{Source: s, ID: "signing", Parse: secrets.ParseSigning, Life: 5 * time.Second, Pause: time.Second / 2, Failed: failed("signing")})
	links := secrets.NewCache(secrets.CacheConfig[secrets.Links]{Source: s, ID: "links", Parse: secrets.ParseLinks, Life: 5 * time.Second, Pause: time.Second / 2, Failed: failed("links")})
	metrics := metric.New(metric.Config{Writer: io.Discard, Function: "f", Now: time.Now, Observe: s.measured})
	store := jobs.NewMemory(jobs.MemoryConfig{Now: time.Now})
	submitter := jobs.NewSubmitter(jobs.SubmitConfig{Store: store, Queue: nowhere{}, Now: time.Now})
	for word, handler := range map[string]web.Handler{
		"actions":        action.New(action.Config{Config: s.config, Signing: signing, Jobs: submitter, Store: store, Now: time.Now, Metrics: metrics}),
		"iframe":         iframe.New(iframe.Config{Config: s.config, Signing: signing, Jobs: submitter, Store: store, Now: time.Now, Metrics: metrics}),
		"data":           data.New(data.Config{Config: s.config, Signing: signing, Jobs: store, Ledger: ledger.NewMemory(ledger.MemoryConfig{Now: time.Now}), Now: time.Now, Metrics: metrics}),
		"event-platform": eventplatform.New(eventplatform.Config{Config: s.config, Signing: signing, Queue: nowhere{}, Now: time.Now, Metrics: metrics}),
		"contentful":     contentful.New(contentful.Config{Config: s.config, Signing: signing, Jobs: submitter, Now: time.Now, Metrics: metrics}),
		"callbacks":      callback.New(callback.Config{Links: links, Signals: store, Queue: nowhere{}, Now: time.Now, Metrics: metrics}),
		"files":          files.New(files.Config{Links: links, Jobs: store, Now: time.Now, Metrics: metrics}),
	} {
		function := web.New(web.Config{Function: word, Handler: handler, MaxBody: 1 << 20, Log: slog.New(slog.DiscardHandler), Now: time.Now})
		s.paths[word] = append(s.paths[word], gateway.HTTP(function.Invoke))
	}
}

// rotator is the operator's program.
func (s *deployedStage) rotator() *register.Rotator {
	base := &url.URL{Scheme: "https", Host: "api.example.com"}
	return register.NewRotator(register.Rotator{
		Documents: register.Documents{Store: operators{s}, Signing: "signing", Links: "links"}, Giver: s, Uses: s, Times: playedTimes, Now: time.Now,
		Prober: register.Prober{Base: base, Client: register.ProbeClient(probes{s}), Now: time.Now},
		Say: func(place, text string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.said = append(s.said, place+": "+text)
		},
	})
}

// request is one of a sender's, with the secret that it has now.
func (s *deployedStage) request(place register.Place, n int) senders.Request {
	s.mu.Lock()
	keys := s.held[place.Name]
	s.mu.Unlock()
	secret := ""
	if len(keys.Secrets) > 0 {
		secret = keys.Secrets[0]
	}
	switch place.Kind {
	case register.OfAction:
		return senders.Action{Extension: place.Target, Secret: secret}.Request(senders.Press{
			Position: "pim.product.header", Products: []string{senders.NewUUID()}, At: time.Now(), User: senders.User{UUID: senders.NewUUID(), Username: "julia"},
		}.Body())
	case register.OfIframe:
		return senders.Iframe{Extension: place.Target, Secret: secret, User: senders.NewUUID(), At: time.Now()}.Request(http.MethodPost, "/verify", nil)
	case register.OfData:
		own := signature.Credential(keys.Credentials[0])
		return senders.Data{Extension: place.Target, Credential: &own}.Request(senders.NewUUID())
	case register.OfEvents:
		return senders.EventPlatform{PIM: place.PIM, Primary: secret}.Event(fmt.Appendf(nil, `{"id":"%d","type":"x"}`, n))
	case register.OfNotifications:
		return senders.EventPlatform{PIM: place.PIM, Primary: secret}.Notification(fmt.Appendf(nil, `{"notification_type":"x","n":%d}`, n))
	case register.OfContentful:
		return senders.Contentful{Action: place.Target, Secret: secret, At: time.Now(), Space: "s", Environment: "master"}.Request(fmt.Appendf(nil, `{"n":%d}`, n))
	}
	// Links that were handed out a while ago are clicked: the worker signs with what its own cache holds.
	document, _ := s.Get(s.t.Context(), "links")
	links, _, _ := secrets.ParseLinks(document)
	link := signature.Link{Kind: signature.LinkFiles, Job: "job", Name: "name", Until: time.Now().Add(20 * time.Second)}
	query, _ := url.ParseQuery(signature.SignLink(links.Current, link))
	return senders.Request{Method: http.MethodGet, Path: "/files/job/name", Query: query, Header: map[string]string{}}
}

// traffic calls as a place's sender does, so many times a second, until the context ends. Clicked links are some seconds old.
func (s *deployedStage) traffic(ctx context.Context, place register.Place, perSecond int) {
	base := &url.URL{Scheme: "https", Host: "api.example.com"}
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	var made []senders.Request
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		request := s.request(place, n)
		if place.Kind == register.OfLinks {
			made = append(made, request)
			request = made[max(0, len(made)-15*perSecond)]
		}
		call, err := request.HTTP(context.WithoutCancel(ctx), base)
		if err != nil {
			s.t.Error(err)
			return
		}
		response, err := s.RoundTrip(call)
		if err != nil || response.StatusCode == 401 || response.StatusCode == 403 || response.StatusCode >= 500 {
			s.mu.Lock()
			s.refused = append(s.refused, fmt.Sprintf("%s: call %d at %s: %v %d", place.Name, n, time.Now().Format("15:04:05.000"), err, response.StatusCode))
			s.mu.Unlock()
		}
	}
}

// keys are those of a place in the document now.
func (s *deployedStage) keys(place register.Place) register.Keys {
	s.mu.Lock()
	defer s.mu.Unlock()
	if place.Kind == register.OfLinks {
		links, _, err := secrets.ParseLinks(s.store["links"].Text)
		if err != nil {
			s.t.Fatal(err)
		}
		return register.Keys{Secrets: links.Valid()}
	}
	signing, _, err := secrets.ParseSigning(s.store["signing"].Text)
	if err != nil {
		s.t.Fatal(err)
	}
	return place.Keys(signing)
}

// rotated fails unless a place has one secret, another than before, which its sender has, and nothing is left of the work.
func (s *deployedStage) rotated(place register.Place, before register.Keys) {
	s.t.Helper()
	now := s.keys(place)
	if len(now.Secrets) > 1 || len(now.Credentials) > 1 || now.Empty() {
		s.t.Errorf("%s: it has %d secrets and %d credentials", place.Name, len(now.Secrets), len(now.Credentials))
		return
	}
	if text := func(k register.Keys) string { return fmt.Sprint(k) }; text(now) == text(before) || place.Kind != register.OfLinks && text(now) != text(s.held[place.Name]) {
		s.t.Errorf("%s: its secret is not new, or its sender has another", place.Name)
	}
	for id, document := range s.store {
		if strings.Contains(string(document.Text), "rotations") || id == "signing" && !strings.Contains(string(document.Text), "theirs") {
			s.t.Errorf("the document %s: %s", id, document.Text)
		}
	}
	for _, refused := range s.refused[:min(3, len(s.refused))] {
		s.t.Errorf("one of %d refused: %s", len(s.refused), refused)
	}
}

// places are those that can be rotated.
func (s *deployedStage) places() (all []register.Place) {
	for _, place := range register.SecretPlaces(s.config) {
		if place.Kind != register.OfEventsAPI {
			all = append(all, place)
		}
	}
	return all
}

// rotate runs the program until there is nothing left for later.
func (s *deployedStage) rotate(place register.Place) {
	s.t.Helper()
	for range 10 {
		err := s.rotator().Run(s.t.Context(), place)
		if err == nil {
			return
		}
		if !errors.Is(err, register.ErrLater) {
			s.t.Errorf("%s: %v", place.Name, err)
			return
		}
		time.Sleep(10 * time.Second)
	}
	s.t.Errorf("%s: it does not come to an end", place.Name)
}

// Every kind, while its sender calls a hundred times a second: none is refused, and afterwards the old secret is.
func TestARotationRefusesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		for _, place := range s.places() {
			before := s.keys(place)
			ctx, stop := context.WithCancel(t.Context())
			var calling sync.WaitGroup
			calling.Go(func() { s.traffic(ctx, place, 100) })
			time.Sleep(2 * time.Second)
			s.rotate(place)
			stop()
			calling.Wait()
			s.rotated(place, before)
			for range instances {
				prober := register.Prober{Base: &url.URL{Scheme: "https", Host: "api.example.com"}, Client: register.ProbeClient(s), Now: time.Now}
				if answer, err := prober.Ask(t.Context(), place, before); err != nil || !answer.Refused() {
					t.Errorf("%s: the old secret gets %d, %v", place.Name, answer.Status, err)
				}
			}
		}
	})
}

// played runs a test in a bubble of its own with a stage and one place, whose sender calls twice a second.
func played(t *testing.T, name string, test func(t *testing.T, s *deployedStage, place register.Place)) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		place, err := register.FindPlace(s.config, name)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var calling sync.WaitGroup
		calling.Go(func() { s.traffic(ctx, place, 2) })
		time.Sleep(time.Second)
		before := s.keys(place)
		test(t, s, place)
		stop()
		calling.Wait()
		time.Sleep(s.slow) // what was given last
		synctest.Wait()
		s.rotated(place, before)
	})
}

// Ended before or after any call, and started again, a rotation comes to its end, and refuses nobody.
func TestARotationGoesOnAfterAnyCall(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"button", "event-platform.main", "links"} {
		for _, after := range []bool{false, true} {
			if after && name == "links" { // its calls are those of the others
				continue
			}
			deaths, ended := 0, false
			for n := 1; !ended && !t.Failed(); n++ {
				played(t, name, func(t *testing.T, s *deployedStage, place register.Place) {
					ctx, kill := context.WithCancel(t.Context())
					s.dies, s.after, s.kill = n, after, kill
					err := s.rotator().Run(ctx, place)
					for errors.Is(err, register.ErrLater) && ctx.Err() == nil {
						time.Sleep(10 * time.Second)
						err = s.rotator().Run(ctx, place)
					}
					if ended = s.calls < n; ended && err != nil {
						t.Errorf("%s: %v", name, err)
					}
					if err != nil {
						deaths++
					}
					s.dies = 0
					if !ended && err != nil {
						s.rotate(place)
					}
				})
			}
			if deaths < 10 {
				t.Errorf("%s: it died %d times alone", name, deaths)
			}
		}
	}
}

// Two programs at the same time do one rotation.
func TestARotationStartedTwiceIsOne(t *testing.T) {
	played(t, "button", func(t *testing.T, s *deployedStage, place register.Place) {
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { s.rotate(place) })
		}
		time.Sleep(8 * time.Second)
		if keys := s.keys(place); len(keys.Secrets) != 2 {
			t.Errorf("there are %d secrets", len(keys.Secrets))
		}
		both.Wait()
	})
}

// All at the same time, in one document.
func TestAllRotateTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		before := map[string]register.Keys{}
		ctx, stop := context.WithCancel(t.Context())
		var calling, rotating sync.WaitGroup
		rotator := s.rotator()
		for _, place := range s.places() {
			before[place.Name] = s.keys(place)
			calling.Go(func() { s.traffic(ctx, place, 5) })
			rotating.Go(func() {
				for err := rotator.Run(t.Context(), place); err != nil; err = rotator.Run(t.Context(), place) {
					if !errors.Is(err, register.ErrLater) {
						t.Errorf("%s: %v", place.Name, err)
						return
					}
					time.Sleep(10 * time.Second)
				}
			})
		}
		rotating.Wait()
		stop()
		calling.Wait()
		for _, place := range s.places() {
			s.rotated(place, before[place.Name])
		}
	})
}

// A function that cannot read the document has not got the new secret: the sender does not get it either.
func TestARotationWaitsForFunctionsThatCannotRead(t *testing.T) {
	played(t, "button", func(t *testing.T, s *deployedStage, place register.Place) {
		time.Sleep(3 * time.Second) // each instance has read it
		go func() {
			time.Sleep(time.Second / 4)
			s.mu.Lock()
			s.away = true
			s.mu.Unlock()
			time.Sleep(time.Minute)
			s.mu.Lock()
			if s.given[place.Name] > 0 {
				t.Error("the sender got a secret that functions do not know")
			}
			s.away = false
			s.mu.Unlock()
		}()
		time.Sleep(time.Second)
		s.rotate(place)
		s.says("not yet: ")
	})
}

// Where no API gives a secret to its sender, the rotation goes on with the first call that the new one proves.
func TestARotationByHand(t *testing.T) {
	played(t, "button", func(t *testing.T, s *deployedStage, place register.Place) {
		s.hands = true
		go func() {
			time.Sleep(2 * time.Minute)
			s.says("System > Extensions > button > Secret")
			s.give(place, s.keys(place))
		}()
		s.rotate(place)
	})
}

// As long as somebody signs with the old secret it stays, even if others have the new one.
func TestTheOldSecretStaysWhileItIsUsed(t *testing.T) {
	played(t, "event-platform.main", func(t *testing.T, s *deployedStage, place register.Place) {
		old := s.keys(place)
		prober := register.Prober{Base: &url.URL{Scheme: "https", Host: "api.example.com"}, Client: register.ProbeClient(s), Now: time.Now}
		until := time.Now().Add(3 * time.Minute)
		go func() {
			for time.Now().Before(until) {
				time.Sleep(5 * time.Second)
				request := senders.EventPlatform{PIM: place.PIM, Primary: old.Secrets[0]}.Event([]byte(`{"id":"late"}`))
				call, _ := request.HTTP(t.Context(), prober.Base)
				if response, err := s.RoundTrip(call); err != nil || response.StatusCode != 200 {
					t.Errorf("a late sender gets %d, %v", response.StatusCode, err)
				}
			}
		}()
		s.rotate(place)
		if time.Now().Before(until) {
			t.Error("it was taken away while it was used")
		}
	})
}

// What nobody calls is not ended by silence, unless the operator says so.
func TestSilenceProvesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		place, _ := register.FindPlace(s.config, "panel")
		before := s.keys(place)
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		if err := s.rotator().Run(ctx, place); !errors.Is(err, context.DeadlineExceeded) || len(s.keys(place).Secrets) != 2 {
			t.Errorf("after an hour of silence: %v, %d secrets", err, len(s.keys(place).Secrets))
		}
		s.says("--unseen")
		status, err := s.rotator().Status(t.Context(), s.config)
		for _, one := range status {
			if one.Name == "panel" && (one.State != "switched" || one.Secrets != 2) || one.Name != "panel" && one.State != "none" || err != nil {
				t.Errorf("status: %+v, %v", one, err)
			}
		}
		rotator := s.rotator()
		rotator.Unseen = true
		if err := rotator.Run(t.Context(), place); err != nil {
			t.Error(err)
		}
		s.rotated(place, before)
	})
}

// A secret that somebody adds, or takes away, ends the rotation and nothing else.
func TestSomebodyEditsTheDocumentMeanwhile(t *testing.T) {
	for name, edit := range map[string]func(list []string) []string{
		"adds one":           func(list []string) []string { return append(list, strings.Repeat("theirs", 8)) },
		"takes the new away": func(list []string) []string { return list[:1] },
		"swaps them":         func(list []string) []string { return []string{list[1], list[0]} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				place, _ := register.FindPlace(s.config, "contentful")
				ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
				_ = s.rotator().Run(ctx, place)
				stop()
				want := edit(s.keys(place).Secrets)
				err := secrets.Update(t.Context(), operators{s}, "signing", func(text []byte) ([]byte, error) {
					var document map[string]any
					err := json.Unmarshal(text, &document)
					document["contentful"] = want
					next, _ := json.Marshal(document)
					return next, err
				})
				if err != nil {
					t.Fatal(err)
				}
				err = s.rotator().Run(t.Context(), place)
				if err == nil || !strings.Contains(err.Error(), "somebody changed its secrets") {
					t.Errorf("%v", err)
				}
				if got := s.keys(place).Secrets; !slices.Equal(got, want) || s.given["contentful"] > 0 {
					t.Errorf("%d secrets, given %d times", len(got), s.given["contentful"])
				}
				if strings.Contains(string(s.store["signing"].Text), "rotations") {
					t.Error("a record of the rotation is left")
				}
			})
		})
	}
}

// A credential keeps its form, and a secret beside it is replaced with it.
func TestACredentialIsReplacedInItsForm(t *testing.T) {
	for name, credential := range map[string]string{
		"bearer": `{"type":"bearer","token":"the-first-token"}`,
		"basic":  `{"type":"basic","username":"pim","password":"the-first-password"}`,
		"header": `[{"type":"header","name":"X-Key","value":"the-first-value"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				place, _ := register.FindPlace(s.config, "button")
				text := `{"note":"theirs","extensions":{"button":{"secrets":["the-first-secret-of-thirty-two-characters"],"credential":` + credential + `}}}`
				s.store["signing"] = secrets.Document{Text: []byte(text), Version: "ours"}
				before := s.keys(place)
				s.held[place.Name] = before
				rotator := s.rotator()
				rotator.Unseen = true
				if err := rotator.Run(t.Context(), place); err != nil {
					t.Fatal(err)
				}
				s.rotated(place, before)
				after := s.keys(place)
				one, two := before.Credentials[0], after.Credentials[0]
				if one.Type != two.Type || one.Username != two.Username || one.Name != two.Name || one.Fingerprint() == two.Fingerprint() || after.Secrets[0] == before.Secrets[0] {
					t.Errorf("it became %s %s %s", two.Type, two.Username, two.Name)
				}
			})
		})
	}
}
