package queue

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"
	"unicode/utf8"
)

// A message's attribute of this name says how its body travels; without it the body is the text that was sent.
const (
	encodingAttribute = "encoding"
	encodingBase64    = "base64"      // bytes that are not legal SQS text
	encodingGzip      = "gzip+base64" // larger than MaxPayload as they are, or empty (SQS refuses an empty body)
)

const (
	maxAttributes = 8        // of SQS's 10, so that there is room for our own
	maxName       = 256      // characters of an attribute's name
	maxDecoded    = 16 << 20 // bytes of a body before compression: what a receiver is ready to hold
	stringType    = "String" // data type of every attribute; its name counts towards MaxPayload
)

// ErrEncoding is returned by Decode for a body that is not what its encoding attribute says.
var ErrEncoding = errors.New("message body does not match its encoding")

// Decode undoes what Send did to a body, given the message's text and string attributes: on Lambda, those of the
// SQS event. It returns the bytes that were sent and the attributes without our own. Text sent by others, without
// an encoding attribute, is returned as it is. ErrEncoding, or ErrTooLarge for more than 16 MiB decompressed.
func Decode(body string, attributes map[string]string) ([]byte, map[string]string, error) {
	encoding, encoded := attributes[encodingAttribute]
	if !encoded {
		return []byte(body), maps.Clone(attributes), nil
	}
	rest := maps.Clone(attributes)
	delete(rest, encodingAttribute)
	raw, err := base64.StdEncoding.Strict().DecodeString(body)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: not base64", ErrEncoding)
	}
	switch encoding {
	case encodingBase64:
		return raw, rest, nil
	case encodingGzip:
		plain, err := decompress(raw)
		return plain, rest, err
	default:
		return nil, nil, fmt.Errorf("%w: unknown encoding %q", ErrEncoding, encoding)
	}
}

// Size is how many bytes Decode returns for a body, without decoding it: for who bounds what it holds at once. It believes
// what a compressed body says of itself, up to the limit that Decode keeps; a body that Decode refuses has any size.
func Size(body string, attributes map[string]string) int {
	if attributes[encodingAttribute] != encodingGzip {
		return len(body)
	}
	tail, err := base64.StdEncoding.DecodeString(body[max(len(body)-8, 0):]) // whole groups of four characters
	if err != nil || len(tail) < 4 {
		return len(body)
	}
	return int(min(binary.LittleEndian.Uint32(tail[len(tail)-4:]), maxDecoded)) // RFC 1952: ISIZE
}

// wire is a message as SQS takes it.
type wire struct {
	body       string
	attributes map[string]string
	group      string
	delay      time.Duration // whole seconds
	size       int           // what counts towards MaxPayload
}

// encodeAll checks and encodes every message before the first is sent, so that a refused one means that nothing
// was sent.
func encodeAll(messages []Message) ([]wire, error) {
	encoded := make([]wire, len(messages))
	for i, message := range messages {
		var err error
		if encoded[i], err = encode(message); err != nil {
			return nil, fmt.Errorf("message %d of %d: %w", i+1, len(messages), err)
		}
	}
	return encoded, nil
}

// encode finds the plainest form of a message that SQS takes: as it is, base64, compressed.
func encode(message Message) (wire, error) {
	if err := check(message); err != nil {
		return wire{}, err
	}
	// SQS counts delays in whole seconds: rounded up, because a retry must not come before its time.
	delay := (message.Delay + time.Second - 1).Truncate(time.Second)

	if legalText(message.Body) {
		plain := newWire(string(message.Body), message, "", delay)
		if plain.size <= MaxPayload {
			return plain, nil
		}
	} else if len(message.Body) > 0 && base64.StdEncoding.EncodedLen(len(message.Body)) <= MaxPayload {
		encoded := newWire(base64.StdEncoding.EncodeToString(message.Body), message, encodingBase64, delay)
		if encoded.size <= MaxPayload {
			return encoded, nil
		}
	}
	if len(message.Body) > maxDecoded {
		return wire{}, ErrTooLarge
	}
	compressed := newWire(base64.StdEncoding.EncodeToString(compress(message.Body)), message, encodingGzip, delay)
	if compressed.size > MaxPayload {
		return wire{}, ErrTooLarge
	}
	return compressed, nil
}

func newWire(body string, message Message, encoding string, delay time.Duration) wire {
	w := wire{body: body, attributes: make(map[string]string, len(message.Attributes)+1), group: legalGroup(message.Group), delay: delay, size: len(body)}
	maps.Copy(w.attributes, message.Attributes)
	if encoding != "" {
		w.attributes[encodingAttribute] = encoding
	}
	for name, value := range w.attributes {
		w.size += len(name) + len(stringType) + len(value)
	}
	return w
}

// check holds a message to the rules of Message, which are SQS's or narrower. Values are the caller's: they stay
// out of the errors.
func check(message Message) error {
	if message.Delay < 0 || message.Delay > MaxDelay {
		return fmt.Errorf("delay %s is not within 0 and %s", message.Delay, MaxDelay)
	}
	if len(message.Attributes) > maxAttributes {
		return fmt.Errorf("%d attributes, at most %d are allowed", len(message.Attributes), maxAttributes)
	}
	for name, value := range message.Attributes {
		if !legalName(name) {
			return fmt.Errorf("attribute name %q is not [A-Za-z0-9_-]{1,%d}", name, maxName)
		}
		if name == encodingAttribute {
			return fmt.Errorf("attribute name %q is the queue's own", name)
		}
		if !legalText([]byte(value)) {
			return fmt.Errorf("attribute %q is empty or not text that SQS takes", name)
		}
	}
	return nil
}

// legalText says whether SQS takes the bytes as text: the characters of XML 1.0, at least one (API reference,
// SendMessage).
func legalText(text []byte) bool {
	if len(text) == 0 || !utf8.Valid(text) {
		return false
	}
	for _, r := range string(text) {
		switch {
		case r == '\t', r == '\n', r == '\r':
		case r < 0x20, r == 0xFFFE, r == 0xFFFF: // surrogates are not valid UTF-8 to begin with
			return false
		}
	}
	return true
}

func legalName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// legalGroup is a group's name as SQS takes it: visible ASCII (API reference, SendMessageBatchRequestEntry, MessageGroupId).
func legalGroup(name string) string {
	legal := strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, name)
	return legal[:min(len(legal), maxGroup)]
}

func compress(plain []byte) []byte {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	writer.Write(plain) // a bytes.Buffer takes every write
	writer.Close()
	return buffer.Bytes()
}

// decompress reads at most maxDecoded: a few kilobytes of gzip can stand for gigabytes.
func decompress(compressed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, fmt.Errorf("%w: not gzip", ErrEncoding)
	}
	plain, err := io.ReadAll(io.LimitReader(reader, maxDecoded+1))
	if err != nil {
		return nil, fmt.Errorf("%w: broken gzip", ErrEncoding)
	}
	if len(plain) > maxDecoded {
		return nil, ErrTooLarge
	}
	return plain, nil
}
