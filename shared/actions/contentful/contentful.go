// Package contentful is the kind of action that calls App Actions in Contentful: one by its ID, or all of a category
// that an environment has. Each is called once for a job or an event, and what came of it becomes the job's result.
//
// Contentful takes no idempotency key. So the intent to call is written down before the call is made, and the call's
// ID before it is waited for; a run that finds an intent after one that did not come back reports the outcome as
// unknown and does not call again.
package contentful

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

const (
	defaultWithin = time.Hour
	longestWithin = 7 * 24 * time.Hour // the queues keep a message for 10 days
)

// Config is what a Kind needs.
type Config struct {
	Outbound *outbound.Client
	// Pause waits between two looks at a call; it ends early with the context's error. nil: in real time.
	Pause func(context.Context, time.Duration) error
}

// Kind makes contentful actions. It remembers access tokens, and nothing else.
type Kind struct {
	Config
	tokens *contentfulapi.Tokens
}

// New returns a Kind.
func New(config Config) *Kind {
	if config.Pause == nil {
		config.Pause = pause
	}
	return &Kind{Config: config, tokens: contentfulapi.NewTokens()}
}

// options are the keys of a contentful action in extensions.yaml.
type options struct {
	Environment string         `yaml:"environment"` // SPACE/ENVIRONMENT
	Action      string         `yaml:"action"`      // ID of an App Action
	App         string         `yaml:"app"`         // that provides it, by the ID of its definition; absent: our own
	Category    string         `yaml:"category"`    // or all of a category
	Parameters  map[string]any `yaml:"parameters"`
	Within      time.Duration  `yaml:"within"` // all calls have to end
	Host        string         `yaml:"host"`
}

// plan is a checked configuration.
type plan struct {
	options
	environment contentfulapi.Environment
	parameters  parameters
}

var categoryPattern = regexp.MustCompile(`^[A-Za-z]{1,30}\.v[0-9]{1,3}\.[0-9]{1,3}$`)

// Check implements engine.Kind.
func (*Kind) Check(section config.Section) error {
	_, err := decode(section)
	return err
}

// decode reads the section and reports all its mistakes at once.
func decode(section config.Section) (plan, error) {
	p := plan{options: options{Within: defaultWithin}}
	problems := []error{section.Decode(&p.options), template.Misplaced(section, "environment", "action", "app", "category", "host")}
	report := func(key, remedy, format string, args ...any) {
		problems = append(problems, section.Errorf(key, remedy, format, args...))
	}
	var err error
	if p.environment, err = contentfulapi.ParseEnvironment(p.Environment); err != nil {
		report("environment", "write SPACE/ENVIRONMENT: yadj1kx9rmg0/master", "environment %v", err)
	}
	switch {
	case (p.Action == "") == (p.Category == ""):
		report("action", "add action: with an App Action's ID, or category: Notification.v1.0", "a contentful action needs an action or a category, and not both")
	case p.Action != "" && !contentfulapi.ValidID(p.Action):
		report("action", "use the ID that Contentful shows", "action %q is not the ID of an App Action", p.Action)
	}
	if p.App != "" && (!contentfulapi.ValidID(p.App) || p.Category != "") {
		report("app", "use the ID of an app's definition, and only with action", "app %q", p.App)
	}
	if p.Category != "" && !categoryPattern.MatchString(p.Category) {
		report("category", "use Notification.v1.0 or Entries.v1.0; a Custom action is called by its ID", "category %q", p.Category)
	}
	if p.Within < time.Second || p.Within > longestWithin {
		report("within", "use 1s to 168h", "within %s", p.Within)
	}
	if err := contentfulapi.CheckHost(p.Host); err != nil {
		report("host", "use api.contentful.com or api.eu.contentful.com", "%v", err)
	}
	p.parameters, err = parse(p.Parameters)
	if mistakes, ok := errors.AsType[template.Mistakes](err); ok {
		for _, mistake := range mistakes {
			report("parameters", "use texts, numbers, true, false, or {number: text}, {boolean: text} and {json: text}", "%s", mistake)
		}
	}
	for category, needed := range builtIn {
		for _, name := range needed {
			if _, there := p.parameters[name]; p.Category != "" && contentfulapi.SameCategory(category, p.Category) && !there {
				report("parameters", "add it", "App Actions of category %s need the parameter %q", p.Category, name)
			}
		}
	}
	return p, errors.Join(problems...)
}

// builtIn are the parameters that Contentful defines for its categories ("App Actions": categories).
var builtIn = map[string][]string{"Notification.v1": {"message", "recipient"}, "Entries.v1": {"entryIds"}}

// Open implements engine.Kind.
func (k *Kind) Open(section config.Section, secrets engine.Secrets) (engine.Action, error) {
	p, err := decode(section)
	if err != nil { // its text may hold a value of the secret, which Check has not seen
		return nil, section.Errorf("environment", "look at what the action takes from there", "a value of the connection secret does not fit the action")
	}
	credential, err := contentfulapi.ParseCredential(secrets.Contentful)
	if err != nil {
		return nil, section.Errorf("environment", "", "%v", err)
	}
	if p.App == "" {
		p.App = credential.App
	}
	if p.Action != "" && p.App == "" {
		return nil, section.Errorf("app", "add app: with the ID of the app that provides it", "the app of action %q is not known", p.Action)
	}
	return &action{kind: k, plan: p, credential: credential}, nil
}

type action struct {
	kind *Kind
	plan
	credential contentfulapi.Credential
}

func (a *action) Batch() int { return 0 }

// client makes a client whose calls carry the action's name.
func (a *action) client(label string) (*contentfulapi.Client, error) {
	return contentfulapi.New(contentfulapi.Config{
		Outbound: a.kind.Outbound, Host: a.Host, Credential: a.credential, Tokens: a.kind.tokens, Label: label,
	})
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
