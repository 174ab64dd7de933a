package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
)

// sesAPI is the part of *sesv2.Client that SES calls.
type sesAPI interface {
	SendEmail(context.Context, *sesv2.SendEmailInput, ...func(*sesv2.Options)) (*sesv2.SendEmailOutput, error)
}

// SESConfig is what SES needs.
type SESConfig struct{ Client sesAPI }

// SES is a Mailer by Amazon Simple Email Service. It knows no idempotency key: a message whose answer was lost comes
// twice.
type SES struct{ SESConfig }

var _ Mailer = (*SES)(nil)

// NewSES returns an SES.
func NewSES(config SESConfig) *SES { return &SES{config} }

// SendMail implements Mailer.
func (s *SES) SendMail(ctx context.Context, m Mail) error {
	message, err := m.message()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMailRefused, err)
	}
	to := make([]string, len(m.To))
	for i, address := range m.To {
		to[i] = address.Address
	}
	_, err = s.Client.SendEmail(ctx, &sesv2.SendEmailInput{
		FromEmailAddress: aws.String(m.From.Address),
		Destination:      &types.Destination{ToAddresses: to},
		Content:          &types.EmailContent{Raw: &types.RawMessage{Data: message}},
	})
	return sesError(err)
}

// sesError tells what cannot be helped by sending again; the texts of AWS may hold addresses, and are left out.
func sesError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*types.MessageRejected](err); ok {
		return fmt.Errorf("%w: MessageRejected (in SES's sandbox each recipient must be verified)", ErrMailRefused)
	}
	if _, ok := errors.AsType[*types.MailFromDomainNotVerifiedException](err); ok {
		return fmt.Errorf("%w: MailFromDomainNotVerifiedException", ErrMailRefused)
	}
	if _, ok := errors.AsType[*types.NotFoundException](err); ok {
		return fmt.Errorf("%w: NotFoundException", ErrMailRefused)
	}
	if _, ok := errors.AsType[*types.BadRequestException](err); ok {
		return fmt.Errorf("%w: BadRequestException", ErrMailRefused)
	}
	if _, ok := errors.AsType[*types.AccountSuspendedException](err); ok {
		return fmt.Errorf("%w: AccountSuspendedException", ErrMailRefused)
	}
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		return errors.New(coded.ErrorCode())
	}
	return err
}
