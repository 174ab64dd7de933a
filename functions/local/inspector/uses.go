package inspector

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/loopback"
	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/startup"
)

// Uses is what GET /_local/secrets answers: which secrets proved calls while their lists had several, and which documents
// could not be read.
type Uses struct {
	Used    []Used    `json:"used"`
	NotRead []NotRead `json:"notRead"`
}

// Used is how often a secret of a list proved a call since the start.
type Used struct {
	List        string    `json:"list"`
	Fingerprint string    `json:"fingerprint"`
	Count       int       `json:"count"`
	Last        time.Time `json:"last"`
}

// NotRead is a document that could not be read.
type NotRead struct {
	Document string    `json:"document"`
	Count    int       `json:"count"`
	Last     time.Time `json:"last"`
}

// used takes a sample in, if it tells of secrets; r.mu is held.
func (r *Recorder) used(sample metric.Sample) {
	value := func(name string) string {
		i := slices.IndexFunc(sample.Dimensions, func(d metric.Dimension) bool { return d.Name == name })
		if i < 0 {
			return ""
		}
		return sample.Dimensions[i].Value
	}
	switch sample.Name {
	case gate.UsesMetric:
		key := [2]string{value(gate.SecretDimension), value(gate.FingerprintDimension)}
		use := r.uses[key]
		r.uses[key] = Used{List: key[0], Fingerprint: key[1], Count: use.Count + int(sample.Value), Last: sample.Time}
	case startup.NotReadMetric:
		document := value(startup.DocumentDimension)
		r.notRead[document] = NotRead{Document: document, Count: r.notRead[document].Count + int(sample.Value), Last: sample.Time}
	}
}

// Uses are the uses of secrets so far, by list.
func (r *Recorder) Uses() Uses {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := Uses{Used: []Used{}, NotRead: []NotRead{}}
	for _, use := range r.uses {
		all.Used = append(all.Used, use)
	}
	for _, failed := range r.notRead {
		all.NotRead = append(all.NotRead, failed)
	}
	slices.SortFunc(all.Used, func(a, b Used) int { return strings.Compare(a.List+" "+a.Fingerprint, b.List+" "+b.Fingerprint) })
	slices.SortFunc(all.NotRead, func(a, b NotRead) int { return strings.Compare(a.Document, b.Document) })
	return all
}

func (i *Inspector) serveUses(w http.ResponseWriter, _ *http.Request) {
	loopback.Respond(w, i.config.Recorder.Uses())
}
