// Package address is where files can be fetched: our own address, a link that lives as long as the file, and AWS's, which
// is signed when somebody follows that link and ends minutes later. It knows no store, so that the function that answers
// links links no client of one.
package address

import (
	"context"
	"net/url"
	"strings"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// Media is the job's part of the address of an image that is handed on: such files belong to no job.
const Media = "media"

// MediaDigest is how many hexadecimal digits, and then a hyphen, stand in front of a media file's own name.
const MediaDigest = 24

// MediaKey is where a media file of that name lies.
func MediaKey(name string) string { return Media + "/" + name }

// OwnName is a media file's own name: without the digest in front.
func OwnName(name string) string {
	if len(name) > MediaDigest+1 && name[MediaDigest] == '-' {
		return name[MediaDigest+1:]
	}
	return name
}

// routes are the first segments of the addresses behind links, by their kind.
var routes = map[string]string{signature.LinkFiles: "files", signature.LinkCallback: "callbacks"}

// Link is our address of a file, or of what ends a wait. publicURL is where our functions are, without a slash at the end.
func Link(publicURL, secret string, link signature.Link) string {
	return strings.TrimSuffix(publicURL, "/") + "/" + routes[link.Kind] + "/" + url.PathEscape(link.Job) + "/" + url.PathEscape(link.Name) + "?" + signature.SignLink(secret, link)
}

// Bucket is where the bucket's files are: at its host name or, with the endpoint of an emulator, which has no host for each
// bucket, below that.
func Bucket(endpoint, host, name string) string {
	if endpoint != "" {
		return endpoint + "/" + name
	}
	return "https://" + host
}

// Signer makes the address behind a link, which whoever followed it is sent to. S3 and the local system implement it.
type Signer interface {
	// Sign is an address that gives the file under the key for a few minutes, to one method (GET or HEAD), as an attachment
	// called name. Whether there is a file is not asked.
	Sign(ctx context.Context, method, key, name string) (string, error)
}
