package queue_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
)

// What every Queue must do. The queues have a visibility timeout of a second, and move a message to the dead
// letters that was received twice. Memory runs in a bubble where time passes at once; SQS needs real seconds.

const (
	visibility  = time.Second
	maxReceives = 2
)

type queues struct {
	main, dead queue.Queue
}

type clause struct {
	name string
	test func(*testing.T, queues)
}

var contract = []clause{
	{"bodies come as they were sent", bodiesComeAsSent},
	{"attributes come as they were sent", attributesComeAsSent},
	{"groups come as SQS takes them", groupsComeAsSent},
	{"a group has its turn, however many messages others have", groupsTakeTurns},
	{"25 messages in one send", manyMessages},
	{"messages of more than 1 MiB together", manyLargeMessages},
	{"a message of exactly 1 MiB", largestMessage},
	{"a larger one that compresses", compressedMessage},
	{"a message too large sends nothing of the call", tooLarge},
	{"messages that SQS would refuse send nothing of the call", refusedMessages},
	{"what is at a limit", atTheLimits},
	{"a delay", delay},
	{"a received message is hidden, then comes again", visibilityTimeout},
	{"a deleted message does not come again", deleted},
	{"a receipt that is not known is no error", unknownReceipt},
	{"dead letters keep when they were sent", deadLetters},
	{"a released message comes again at once", released},
	{"redrive", redrive},
	{"a redrive leaves what came after its beginning", redriveLeavesNewer},
	{"waiting ends when a message arrives", waiting},
	{"nothing to receive is no error", nothing},
	{"limits of a receive", receiveLimits},
	{"a cancelled context", cancelled},
}

func TestMemory(t *testing.T) {
	for _, clause := range contract {
		t.Run(clause.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dead := queue.NewMemory(queue.MemoryConfig{Visibility: visibility})
				main := queue.NewMemory(queue.MemoryConfig{Visibility: visibility, MaxReceives: maxReceives, DeadLetters: dead})
				clause.test(t, queues{main, dead})
			})
		})
	}
}

func delay(t *testing.T, q queues) {
	send(t, q.main, queue.Message{Body: []byte("later"), Delay: visibility + 1})
	empty(t, q.main)
	if depth := depth(t, q.main); depth != (queue.Depth{Delayed: 1}) {
		t.Errorf("depth %+v", depth)
	}
	// Rounded up to two seconds; the message may not come before.
	start := time.Now()
	receive(t, q.main, 1)
	if waited := time.Since(start); waited < visibility/2 {
		t.Errorf("came after %s", waited)
	}
}

func visibilityTimeout(t *testing.T, q queues) {
	send(t, q.main, queue.Message{Body: []byte("again")})
	first := receive(t, q.main, 1)[0]
	empty(t, q.main)
	if depth := depth(t, q.main); depth != (queue.Depth{InFlight: 1}) {
		t.Errorf("depth on loan %+v", depth)
	}
	second := receive(t, q.main, 1)[0]
	if second.ID != first.ID || second.Receives != 2 || !second.Sent.Equal(first.Sent) {
		t.Errorf("first %+v, then %+v", first, second)
	}
	if second.Receipt == first.Receipt {
		t.Error("two receives gave the same receipt")
	}
	remove(t, q.main, second)
	time.Sleep(visibility + visibility/2)
	empty(t, q.main)
	if depth := depth(t, q.main); depth != (queue.Depth{}) {
		t.Errorf("depth at the end %+v", depth)
	}
}

func deleted(t *testing.T, q queues) {
	send(t, q.main, queue.Message{Body: []byte("a")}, queue.Message{Body: []byte("b")})
	got := receive(t, q.main, 2)
	remove(t, q.main, got[0])
	remove(t, q.main, got[0])
	again := receive(t, q.main, 1)
	if again[0].ID != got[1].ID {
		t.Errorf("received %q again, not %q", again[0].Body, got[1].Body)
	}
	empty(t, q.main)
}

func unknownReceipt(t *testing.T, q queues) {
	send(t, q.main, queue.Message{Body: []byte("a")})
	if err := q.main.Delete(t.Context(), "never was"); err != nil {
		t.Error(err)
	}
	receive(t, q.main, 1)
}

// killed sends a message and receives it until it is a dead letter.
func killed(t *testing.T, q queues, message queue.Message) (first, letter queue.Received) {
	t.Helper()
	send(t, q.main, message)
	for n := range maxReceives {
		got := receive(t, q.main, 1)[0]
		if got.Receives != n+1 {
			t.Errorf("receive %d says %d", n+1, got.Receives)
		}
		if n == 0 {
			first = got
		}
	}
	time.Sleep(visibility + visibility/2)
	empty(t, q.main)
	return first, receive(t, q.dead, 1)[0]
}

func deadLetters(t *testing.T, q queues) {
	message := queue.Message{Body: []byte("\x00poison"), Attributes: map[string]string{"pim": "main"}}
	first, letter := killed(t, q, message)
	if !bytes.Equal(letter.Body, message.Body) || !maps.Equal(letter.Attributes, message.Attributes) {
		t.Errorf("dead letter %q %v", letter.Body, letter.Attributes)
	}
	if !letter.Sent.Equal(first.Sent) {
		t.Errorf("sent %s, the dead letter says %s", first.Sent, letter.Sent)
	}
	if depth := depth(t, q.main); depth != (queue.Depth{}) {
		t.Errorf("depth %+v", depth)
	}
}

func released(t *testing.T, q queues) {
	send(t, q.main, queue.Message{Body: []byte("a")}, queue.Message{Body: []byte("b")})
	got := receive(t, q.main, 2)
	if err := q.main.Release(t.Context(), got[1].Receipt); err != nil {
		t.Fatal(err)
	}
	again := receive(t, q.main, 1)[0]
	if again.ID != got[1].ID || again.Receives != 2 {
		t.Errorf("received %q for the time %d, want %q for the second", again.Body, again.Receives, got[1].Body)
	}
	for _, receipt := range []string{got[1].Receipt, "never was"} {
		if err := q.main.Release(t.Context(), receipt); err != nil {
			t.Errorf("receipt %q: %v", receipt, err)
		}
	}
}

// redriven runs a redrive of letters that are old enough to be told from newer ones.
func redriven(t *testing.T, q queues, attributes map[string]string) queue.Redriven {
	t.Helper()
	done, err := queue.Redrive{Letters: q.dead, Work: q.main, Attributes: attributes, Now: time.Now}.Run(t.Context())
	if err != nil {
		t.Errorf("redrive: %v", err)
	}
	return done
}

func redrive(t *testing.T, q queues) {
	message := queue.Message{Body: []byte("\x00poison"), Attributes: map[string]string{"pim": "main", "redrive": "old"}, Group: "main/a"}
	_, letter := killed(t, q, message)
	if err := q.dead.Release(t.Context(), letter.Receipt); err != nil {
		t.Fatal(err)
	}
	if done := redriven(t, q, map[string]string{"redrive": "1"}); done != (queue.Redriven{Moved: 1}) {
		t.Errorf("redriven %+v", done)
	}
	back := receive(t, q.main, 1)[0]
	want := map[string]string{"pim": "main", "redrive": "1"}
	if !bytes.Equal(back.Body, letter.Body) || !maps.Equal(back.Attributes, want) || back.Group != "main/a" || back.Receives != 1 {
		t.Errorf("came back as %+v", back)
	}
	if depth := depth(t, q.dead); depth != (queue.Depth{}) {
		t.Errorf("depth of the dead letters %+v", depth)
	}
}

// A worker that refuses again puts each message back on the letters while the redrive is at work.
func redriveLeavesNewer(t *testing.T, q queues) {
	send(t, q.dead, queue.Message{Body: []byte("old")})
	time.Sleep(10 * time.Millisecond)
	refusing := refusing{q.main, q.dead}
	done, err := queue.Redrive{Letters: q.dead, Work: refusing, Now: time.Now}.Run(t.Context())
	if err != nil || done != (queue.Redriven{Moved: 1, Newer: 1}) {
		t.Errorf("redriven %+v, %v", done, err)
	}
	if left := receive(t, q.dead, 1); string(left[0].Body) != "old" {
		t.Errorf("left on the letters: %q", left[0].Body)
	}
}

// refusing is a queue whose worker refuses each message at once.
type refusing struct {
	queue.Queue
	letters queue.Queue
}

func (r refusing) Send(ctx context.Context, messages ...queue.Message) error {
	time.Sleep(10 * time.Millisecond) // SQS tells times apart by milliseconds
	return r.letters.Send(ctx, messages...)
}

func waiting(t *testing.T, q queues) {
	sent := make(chan error, 1)
	go func() {
		time.Sleep(visibility / 2)
		sent <- q.main.Send(t.Context(), queue.Message{Body: []byte("a")})
	}()
	start := time.Now()
	got, err := q.main.Receive(t.Context(), 10, 20*time.Second)
	if len(got) != 1 || err != nil {
		t.Errorf("received %d, %v", len(got), err)
	}
	if waited := time.Since(start); waited > 10*time.Second {
		t.Errorf("waited %s", waited)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

func nothing(t *testing.T, q queues) {
	for _, wait := range []time.Duration{0, time.Second} {
		if got, err := q.main.Receive(t.Context(), 1, wait); len(got) != 0 || err != nil {
			t.Errorf("wait %s: %d messages, %v", wait, len(got), err)
		}
	}
	if err := q.main.Send(t.Context()); err != nil {
		t.Errorf("send nothing: %v", err)
	}
}

func receiveLimits(t *testing.T, q queues) {
	for _, bad := range []struct {
		limit int
		wait  time.Duration
	}{{0, 0}, {11, 0}, {-1, 0}, {1, -1}, {1, 21 * time.Second}} {
		if _, err := q.main.Receive(t.Context(), bad.limit, bad.wait); err == nil {
			t.Errorf("receive %d, wait %s: no error", bad.limit, bad.wait)
		}
	}
}

func cancelled(t *testing.T, q queues) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.main.Send(ctx, queue.Message{Body: []byte("a")}); !errors.Is(err, context.Canceled) {
		t.Errorf("send: %v", err)
	}
	if _, err := q.main.Receive(ctx, 1, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("receive: %v", err)
	}
	if err := q.main.Delete(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("delete: %v", err)
	}
	if _, err := q.main.Depth(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("depth: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), visibility/2)
	defer cancel()
	if _, err := q.main.Receive(ctx, 1, 20*time.Second); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting receive: %v", err)
	}
}

func send(t *testing.T, q queue.Queue, messages ...queue.Message) {
	t.Helper()
	if err := q.Send(t.Context(), messages...); err != nil {
		t.Fatal(err)
	}
}

// receive waits until n messages came.
func receive(t *testing.T, q queue.Queue, n int) []queue.Received {
	t.Helper()
	var all []queue.Received
	for tries := 0; len(all) < n; tries++ {
		got, err := q.Receive(t.Context(), min(n-len(all), queue.MaxBatch), 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 && tries > n {
			t.Fatalf("received %d of %d messages", len(all), n)
		}
		all = append(all, got...)
	}
	return all
}

func empty(t *testing.T, q queue.Queue) {
	t.Helper()
	got, err := q.Receive(t.Context(), queue.MaxBatch, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range got {
		t.Errorf("received %.40q", message.Body)
	}
}

func remove(t *testing.T, q queue.Queue, message queue.Received) {
	t.Helper()
	if err := q.Delete(t.Context(), message.Receipt); err != nil {
		t.Fatal(err)
	}
}

func depth(t *testing.T, q queue.Queue) queue.Depth {
	t.Helper()
	depth, err := q.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return depth
}
