package local

import (
	"net/http"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/functions/action"
	"github.com/pim-functions/pim-functions/functions/callback"
	"github.com/pim-functions/pim-functions/functions/contentful"
	"github.com/pim-functions/pim-functions/functions/data"
	"github.com/pim-functions/pim-functions/functions/eventplatform"
	"github.com/pim-functions/pim-functions/functions/eventsapi"
	"github.com/pim-functions/pim-functions/functions/files"
	"github.com/pim-functions/pim-functions/functions/iframe"
	"github.com/pim-functions/pim-functions/functions/local/cloud"
	"github.com/pim-functions/pim-functions/functions/local/gateway"
	"github.com/pim-functions/pim-functions/functions/local/inspector"
	"github.com/pim-functions/pim-functions/shared/credential"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/web"
)

// functions are those that face the outside, each behind the gateway.
type functions struct {
	action, callback, contentful, data, eventsAPI, eventPlatform, files, iframe http.Handler
}

// routes are those of template.yaml; a function without one has the $default route.
var routes = map[string]string{
	"action": "/actions/{proxy+}", "callback": "/callbacks/{proxy+}", "contentful": "/contentful/{proxy+}", "data": "/data/{proxy+}", "eventsapi": "/events-api/{proxy+}",
	"files": "/files/{proxy+}", "iframe": "/iframe/{proxy+}",
}

// mount builds each function as its bootstrap does, on this machine's ports.
func (s *System) mount() functions {
	now := time.Now
	behind := func(function string, handler web.Handler, maxBody int) http.Handler {
		return gateway.Route(routes[function], s.inspector.Explain(web.New(web.Config{
			Function: function, Handler: handler, MaxBody: maxBody, Log: s.log, Metrics: s.metrics(function), Now: now,
		}).Invoke))
	}
	store := s.cloud.Store
	submitter := jobs.NewSubmitter(jobs.SubmitConfig{Store: store, Queue: s.cloud.Jobs, Now: now})
	return functions{
		action: behind("action", action.New(action.Config{
			Config: s.config, Signing: s.signing, Jobs: submitter,
			Store: store, Samples: true, Now: now, Metrics: s.metrics("action"),
		}), action.MaxBody),
		iframe: behind("iframe", iframe.New(iframe.Config{
			Config: s.config, Signing: s.signing, Jobs: submitter,
			Store: store, Samples: true, Now: now, Metrics: s.metrics("iframe"),
		}), iframe.MaxBody),
		contentful: behind("contentful", contentful.New(contentful.Config{
			Config: s.config, Signing: s.signing, Jobs: submitter,
			Samples: true, Now: now, Metrics: s.metrics("contentful"),
		}), contentful.MaxBody),
		data: behind("data", data.New(data.Config{
			Config: s.config, Signing: s.signing, Jobs: store, Ledger: s.cloud.Ledger, Lookups: s.lookups(), Samples: true, Now: now,
			Metrics: s.metrics("data"),
		}), data.MaxBody),
		eventsAPI: behind("eventsapi", eventsapi.New(eventsapi.Config{
			Config: s.config, Signing: s.signing, Queue: s.cloud.Events, Samples: true, Now: now, Metrics: s.metrics("eventsapi"),
		}), eventsapi.MaxBody),
		eventPlatform: behind("eventplatform", eventplatform.New(eventplatform.Config{
			Config: s.config, Signing: s.signing, Queue: s.cloud.Events, Samples: true, Now: now, Metrics: s.metrics("eventplatform"),
		}), eventplatform.MaxBody),
		callback: behind("callback", callback.New(callback.Config{
			Links: s.links, Signals: store, Files: s.cloud.Files, Queue: s.cloud.Jobs, Now: now, Metrics: s.metrics("callback"),
		}), callback.MaxBody),
		files: behind("files", files.New(files.Config{
			Links: s.links, Jobs: store, Signer: s.cloud.Signer, Now: now, Metrics: s.metrics("files"),
		}), files.MaxBody),
	}
}

// lookups are those of data components, with calls that the inspector lists.
func (s *System) lookups() *data.Lookups {
	return data.NewLookups(data.LookupsConfig{Client: credential.New(s.outbound), Now: time.Now, Secrets: secrets.NewCache(secrets.CacheConfig[secrets.Lookups]{
		Source: s.cloud.Secrets, ID: cloud.Lookups, Parse: secrets.ParseLookups, Life: time.Second, Pause: time.Second, Log: s.log,
	})})
}

// ServeHTTP sends a request to the function that API Gateway would call, or to the inspector. It is no http.ServeMux,
// which redirects unclean paths: API Gateway never does.
func (s *System) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.owner(r.URL.Path).ServeHTTP(w, r)
}

func (s *System) owner(path string) http.Handler {
	below := func(route string) bool { return path == route || strings.HasPrefix(path, route+"/") }
	switch {
	case below("/actions"):
		return s.functions.action
	case below("/iframe"):
		return s.functions.iframe
	case below("/contentful"):
		return s.functions.contentful
	case below("/data"):
		return s.functions.data
	case below("/events-api"):
		return s.functions.eventsAPI
	case below("/callbacks"):
		return s.functions.callback
	case below("/files"):
		return s.functions.files
	case strings.HasPrefix(path, cloud.DownloadsPath):
		return s.downloads
	case inspector.Owns(path):
		return s.inspector
	}
	return s.functions.eventPlatform // as on AWS: a mistyped path must not suspend a subscription
}
