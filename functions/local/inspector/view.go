package inspector

import (
	"context"
	"slices"

	"github.com/pim-functions/pim-functions/functions/local/destination"
	"github.com/pim-functions/pim-functions/functions/local/pim"
)

// How much the page shows, the newest of each; the rest is left out.
const (
	viewedJobs  = 30
	viewedCalls = 50
	viewedLines = 100
)

// View is all that the page shows, the newest of each list first.
type View struct {
	State
	Backing    string                 `json:"backing"`  // name of the Cloud
	PIM        string                 `json:"pim"`      // address of its pages
	Problems   []string               `json:"problems"` // of the configuration and the secrets
	Extensions []ExtensionView        `json:"extensions"`
	AppActions []AppAction            `json:"appActions"`
	Refusals   []Refusal              `json:"refusals"`
	Lines      []Line                 `json:"lines"`
	Switch     destination.Mode       `json:"switch"`
	Received   []destination.Delivery `json:"received"`
}

// ExtensionView is an extension as the page lists it.
type ExtensionView struct {
	Name      string   `json:"name"`
	Type      string   `json:"type"`
	Label     string   `json:"label"`
	Action    string   `json:"action"`
	Kind      string   `json:"kind"`
	Positions []string `json:"positions"`
}

// View reads what the page shows.
func (i *Inspector) View(ctx context.Context) (View, error) {
	state, err := i.State(ctx)
	if err != nil {
		return View{}, err
	}
	lines := i.config.Recorder.Lines()
	view := View{
		State: state, Backing: i.config.Cloud.Name, PIM: i.config.PIM.URL(), Problems: append([]string{}, i.config.Problems...), Extensions: []ExtensionView{},
		AppActions: i.appActions(), Refusals: i.config.Recorder.Refusals(), Lines: lines[:min(len(lines), viewedLines)],
		Switch: i.config.Destination.Mode(), Received: i.config.Destination.Received(),
	}
	view.Jobs = view.Jobs[:min(len(view.Jobs), viewedJobs)]
	slices.Reverse(view.Outbound)
	view.Outbound = view.Outbound[:min(len(view.Outbound), viewedCalls)]
	for _, extension := range pim.ByTypeAndName(i.config.Extensions) {
		view.Extensions = append(view.Extensions, ExtensionView{
			Name: extension.Name, Type: extension.Type, Label: extension.Label.In("en_US"), Action: extension.Action,
			Kind: i.config.Extensions.Actions[extension.Action].Kind, Positions: extension.Positions,
		})
	}
	return view, nil
}
