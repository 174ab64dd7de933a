package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"time"

	"github.com/pim-functions/pim-functions/ci/stack"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/senders"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// links: an image is fetched by its link, and by none that another secret signed.
func (b *bench) links(ctx context.Context) error {
	content, image := []byte(senders.NewUUID()), files.MediaKey("main", "4/f/0/1/front.png")
	if err := stack.Bucket(b.variables["FILES_BUCKET"]).Put(ctx, image, content, "image/png"); err != nil {
		return err
	}
	link := signature.Link{Kind: signature.LinkFiles, Job: files.Media, Name: path.Base(image), Until: time.Now().Add(time.Hour)}
	if _, err := b.follow(ctx, link, secret(), http.StatusUnauthorized); err != nil {
		return err
	}
	to, err := b.follow(ctx, link, b.secrets.link, http.StatusFound)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return err
	}
	answer, got, err := stack.Do(request)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || !bytes.Equal(got, content) {
		return fmt.Errorf("the bucket answered %d %q", answer.StatusCode, got)
	}
	fmt.Println("FilesFunction: 302 to the image, 401 for a link that another secret signed")
	return nil
}

// follow invokes the function with a link, and returns where it sends to.
func (b *bench) follow(ctx context.Context, link signature.Link, secret string, status int) (to string, err error) {
	query, err := url.ParseQuery(signature.SignLink(secret, link))
	if err != nil {
		return "", err
	}
	request := senders.Request{Method: http.MethodGet, Path: "/files/" + link.Job + "/" + link.Name, Query: query}
	var got reply
	if err := b.invoke(ctx, "FilesFunction", brought(request), &got); err != nil {
		return "", err
	}
	if got.StatusCode != status {
		return "", fmt.Errorf("FilesFunction answered %d %s, want %d", got.StatusCode, got.Body, status)
	}
	return got.Headers["location"], nil
}
