package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// S3 keeps files as objects of one bucket.
type S3 struct{ S3Config }

var _ Store = (*S3)(nil)

// S3Config is what an S3 needs.
type S3Config struct {
	Client s3Client // an *s3.Client
	Bucket string
}

// s3Client are the calls used.
type s3Client interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	DeleteObjects(context.Context, *s3.DeleteObjectsInput, ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
	CreateMultipartUpload(context.Context, *s3.CreateMultipartUploadInput, ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error)
	UploadPart(context.Context, *s3.UploadPartInput, ...func(*s3.Options)) (*s3.UploadPartOutput, error)
	ListParts(context.Context, *s3.ListPartsInput, ...func(*s3.Options)) (*s3.ListPartsOutput, error)
	CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error)
	AbortMultipartUpload(context.Context, *s3.AbortMultipartUploadInput, ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error)
}

// NewS3 returns an S3. The bucket encrypts and ends objects by itself (template.yaml).
func NewS3(config S3Config) *S3 { return &S3{config} }

// Put implements Store.
func (s *S3) Put(ctx context.Context, key string, content []byte, contentType string) error {
	_, err := s.Client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.Bucket, Key: &key, Body: bytes.NewReader(content), ContentType: &contentType, ContentLength: aws.Int64(int64(len(content))),
	})
	if err != nil {
		return failed("store file", err)
	}
	return nil
}

// Open implements Store.
func (s *S3) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	return s.get(ctx, &s3.GetObjectInput{Bucket: &s.Bucket, Key: &key})
}

// OpenAt implements Store.
func (s *S3) OpenAt(ctx context.Context, key string, from int64) (io.ReadCloser, error) {
	return s.get(ctx, &s3.GetObjectInput{Bucket: &s.Bucket, Key: &key, Range: aws.String(fmt.Sprintf("bytes=%d-", from))})
}

func (s *S3) get(ctx context.Context, what *s3.GetObjectInput) (io.ReadCloser, error) {
	object, err := s.Client.GetObject(ctx, what)
	if err != nil {
		return nil, s3Error("read file", err)
	}
	return object.Body, nil
}

// Size implements Store.
func (s *S3) Size(ctx context.Context, key string) (int64, error) {
	object, err := s.Client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.Bucket, Key: &key})
	if err != nil {
		return 0, s3Error("look for file", err)
	}
	return aws.ToInt64(object.ContentLength), nil
}

// List implements Store.
func (s *S3) List(ctx context.Context, folder string) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		for pages := s3.NewListObjectsV2Paginator(s.Client, &s3.ListObjectsV2Input{Bucket: &s.Bucket, Prefix: &folder}); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(File{}, failed("list files", err))
				return
			}
			for _, object := range page.Contents {
				if !yield(File{Key: aws.ToString(object.Key), Bytes: aws.ToInt64(object.Size)}, nil) {
					return
				}
			}
		}
	}
}

// Delete implements Store.
func (s *S3) Delete(ctx context.Context, keys ...string) error {
	for chunk := range slices.Chunk(keys, 1000) { // Amazon S3, DeleteObjects
		objects := make([]types.ObjectIdentifier, len(chunk))
		for i := range chunk {
			objects[i].Key = &chunk[i]
		}
		out, err := s.Client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &s.Bucket, Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)}})
		if err != nil {
			return failed("delete files", err)
		}
		if len(out.Errors) > 0 {
			return fmt.Errorf("delete files: %d of %d are left: %s", len(out.Errors), len(chunk), aws.ToString(out.Errors[0].Code))
		}
	}
	return nil
}

// s3Error makes ErrNotFound of the two ways in which S3 says so (a HEAD has no body to name a key).
func s3Error(step string, err error) error {
	if _, ok := errors.AsType[*types.NoSuchKey](err); ok {
		return ErrNotFound
	}
	if _, ok := errors.AsType[*types.NotFound](err); ok {
		return ErrNotFound
	}
	return failed(step, err)
}
