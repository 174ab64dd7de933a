package pim

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"path"
	"strings"
)

// Media is a file of the PIM: an image or a document of a product.
type Media struct {
	Name    string // the file's own name; the end of its code where the PIM does not say
	Type    string // "application/octet-stream" where the PIM does not say
	Content []byte
}

// Media reads a file by its code, which is the value of an image or file attribute. One of more than limit bytes is an
// *Error that is TooLarge.
func (c *Client) Media(ctx context.Context, code string, limit int64) (Media, error) {
	r := request{
		method: http.MethodGet, path: mediaPath(code) + "/download",
		header: http.Header{"Accept": {"*/*"}}, limit: limit,
	}
	answer, err := c.do(ctx, r)
	if err != nil {
		return Media{}, err
	}
	media := Media{Name: path.Base(code), Type: "application/octet-stream", Content: answer.Body}
	if _, parameters, err := mime.ParseMediaType(answer.Header.Get("Content-Disposition")); err == nil && parameters["filename"] != "" {
		media.Name = parameters["filename"]
	}
	if kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type")); err == nil {
		media.Type = kind
	}
	return media, nil
}

// Link is an address of ours from which the file of an image or file attribute can be had for a while; "" without a file.
func (v View) Link(attribute string, place ...string) (string, error) {
	code, err := v.MediaCode(attribute, place...)
	if err != nil || code == "" {
		return "", err
	}
	if v.link == nil {
		return "", errors.New("there are no links to files here")
	}
	return v.link(code)
}

// MediaCode is the code of the file that an image or file attribute holds; "" if there is none.
func (v View) MediaCode(attribute string, place ...string) (string, error) {
	value, err := v.find(attribute, place)
	if err != nil || value == nil {
		return "", err
	}
	data, err := decodeData(value.Data)
	code, ok := data.(string)
	if err != nil || !ok || strings.Contains(code, "..") {
		return "", errors.New(`"` + attribute + `" holds no file`)
	}
	return code, nil
}

func mediaPath(code string) string {
	segments := strings.Split(code, "/")
	for i, segment := range segments {
		segments[i] = escape(segment)
	}
	return "/api/rest/v1/media-files/" + strings.Join(segments, "/")
}
