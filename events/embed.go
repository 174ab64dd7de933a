// Package events is this folder: what others send us, as they write it, one file each. Each is named after its sender
// and after what it tells; folders hold the samples of one sender. lambda/ has ready Lambda events for
// `sam local invoke -e`, where the sender signs no time and the sample secrets are in use.
//
// shared/senders signs them, `pimctl send` sends them, and tests read them.
package events

import "embed"

// FS holds every sample.
//
//go:embed *.json contentful/*.json events-api/*.json event-platform/*.json lambda/*.json
var FS embed.FS
