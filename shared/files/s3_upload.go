package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Begin implements Uploads.
func (s *S3) Begin(ctx context.Context, key, contentType string) (Upload, error) {
	out, err := s.Client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &s.Bucket, Key: &key, ContentType: &contentType})
	if err != nil {
		return Upload{}, failed("begin file", err)
	}
	return Upload{Key: key, ID: aws.ToString(out.UploadId)}, nil
}

// Append implements Uploads. A part of the same number replaces the one before.
func (s *S3) Append(ctx context.Context, upload Upload, piece []byte) (Upload, error) {
	if err := checkPiece(upload, piece); err != nil {
		return upload, err
	}
	_, err := s.Client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &s.Bucket, Key: &upload.Key, UploadId: &upload.ID, PartNumber: aws.Int32(int32(upload.Pieces) + 1),
		Body: bytes.NewReader(piece), ContentLength: aws.Int64(int64(len(piece))),
	})
	if err != nil {
		return upload, uploadError("append to file", err)
	}
	return upload.with(piece), nil
}

// Complete implements Uploads. The tags of the parts are S3's to remember: ten thousand are too many for a run's state.
func (s *S3) Complete(ctx context.Context, upload Upload) error {
	if upload.Pieces == 0 {
		if err := s.Put(ctx, upload.Key, nil, ""); err != nil {
			return err
		}
		return s.Abort(ctx, upload)
	}
	parts, err := s.parts(ctx, upload)
	if err == nil {
		_, err = s.Client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &s.Bucket, Key: &upload.Key, UploadId: &upload.ID, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		})
		err = uploadError("complete file", err)
	}
	if errors.Is(err, ErrUploadGone) {
		if size, headErr := s.Size(ctx, upload.Key); headErr == nil && size == upload.Bytes {
			return nil // the answer of an earlier Complete was lost
		}
	}
	return err
}

// parts lists the upload's pieces: those that its value counts, although a killed run may have stored more.
func (s *S3) parts(ctx context.Context, upload Upload) ([]types.CompletedPart, error) {
	var parts []types.CompletedPart
	pages := s3.NewListPartsPaginator(s.Client, &s3.ListPartsInput{Bucket: &s.Bucket, Key: &upload.Key, UploadId: &upload.ID})
	for pages.HasMorePages() && len(parts) < upload.Pieces {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, uploadError("list pieces", err)
		}
		for _, part := range page.Parts {
			if number := int(aws.ToInt32(part.PartNumber)); number == len(parts)+1 && number <= upload.Pieces {
				parts = append(parts, types.CompletedPart{ETag: part.ETag, PartNumber: part.PartNumber})
			}
		}
	}
	if len(parts) != upload.Pieces {
		return nil, fmt.Errorf("list pieces: %d of %d are there: %w", len(parts), upload.Pieces, ErrUploadGone)
	}
	return parts, nil
}

// Abort implements Uploads.
func (s *S3) Abort(ctx context.Context, upload Upload) error {
	_, err := s.Client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.Bucket, Key: &upload.Key, UploadId: &upload.ID})
	if err = uploadError("drop pieces", err); errors.Is(err, ErrUploadGone) {
		return nil
	}
	return err
}

// uploadError makes ErrUploadGone of S3's code for it; most calls name it without a type of its own.
func uploadError(step string, err error) error {
	if err == nil {
		return nil
	}
	if failed, ok := errors.AsType[coded](err); ok && failed.ErrorCode() == "NoSuchUpload" {
		return ErrUploadGone
	}
	return failed(step, err)
}

// coded is an answer of AWS that names what went wrong.
type coded interface {
	error
	ErrorCode() string
}
