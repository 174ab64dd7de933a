package address

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// S3Life is how long an address of AWS's is good: whoever follows a link does so at once. A download that has begun goes on.
const S3Life = 5 * time.Minute

// S3Config is what an S3 needs. All fields are required.
type S3Config struct {
	Bucket      string // the address of the bucket: https://BUCKET.s3.REGION.amazonaws.com, or an emulator's http://HOST/BUCKET
	Region      string
	Credentials aws.CredentialsProvider
	Now         func() time.Time
}

// S3 signs addresses of objects as presigned URLs (Amazon S3, "Authenticating Requests: Using Query Parameters").
type S3 struct {
	S3Config
	signer *v4.Signer
}

var _ Signer = (*S3)(nil)

// NewS3 returns an S3.
func NewS3(config S3Config) *S3 {
	return &S3{config, v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })} // S3 signs the path as it is sent
}

// Sign implements Signer. It calls nobody.
func (s *S3) Sign(ctx context.Context, method, key, name string) (string, error) {
	return s.presign(ctx, method, key, url.Values{
		"X-Amz-Expires":                {strconv.Itoa(int(S3Life.Seconds()))},
		"response-content-disposition": {Attachment(name)},
		"response-cache-control":       {"private, no-store"},
	})
}

func (s *S3) presign(ctx context.Context, method, key string, query url.Values) (string, error) {
	credentials, err := s.Credentials.Retrieve(ctx)
	if err != nil {
		return "", fmt.Errorf("sign address: %w", err)
	}
	at, err := url.Parse(s.Bucket)
	if err != nil {
		return "", fmt.Errorf("sign address: %w", err)
	}
	at.Path = strings.TrimSuffix(at.Path, "/") + "/" + key
	at.RawPath, at.RawQuery = escapePath(at.Path), query.Encode()
	request := &http.Request{Method: method, URL: at, Host: at.Host, Header: http.Header{}}
	signed, _, err := s.signer.PresignHTTP(ctx, credentials, request, "UNSIGNED-PAYLOAD", "s3", s.Region, s.Now())
	if err != nil {
		return "", fmt.Errorf("sign address: %w", err)
	}
	return signed, nil
}

// Attachment is the header Content-Disposition of a file that is to be stored under a name, never shown (RFC 6266).
func Attachment(name string) string {
	return mime.FormatMediaType("attachment", map[string]string{"filename": name})
}

// escapePath escapes all but unreserved characters and slashes (Amazon S3, "UriEncode"): url.URL leaves more as it is.
func escapePath(path string) string {
	var escaped []byte
	for _, b := range []byte(path) {
		if b == '/' || b == '-' || b == '.' || b == '_' || b == '~' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' {
			escaped = append(escaped, b)
			continue
		}
		escaped = fmt.Appendf(escaped, "%%%02X", b)
	}
	return string(escaped)
}
