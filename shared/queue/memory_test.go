package queue_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
)

func TestMemoryWithAClockOfItsOwn(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	q := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, Now: func() time.Time { return now }})
	send(t, q, queue.Message{Body: []byte("a"), Delay: time.Second})
	empty(t, q)
	now = now.Add(time.Second)
	if got := receive(t, q, 1)[0]; !got.Sent.Equal(now.Add(-time.Second)) {
		t.Errorf("sent %s", got.Sent)
	}
	now = now.Add(time.Minute - 1)
	empty(t, q)
	now = now.Add(1)
	receive(t, q, 1)
}

func TestMemoryOlderReceiptDoesNotDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.NewMemory(queue.MemoryConfig{Visibility: visibility})
		send(t, q, queue.Message{Body: []byte("a")})
		first := receive(t, q, 1)[0]
		second := receive(t, q, 1)[0]
		remove(t, q, first)
		if len(q.Messages()) != 1 {
			t.Error("the receipt of an earlier loan deleted the message")
		}
		time.Sleep(2 * visibility)
		remove(t, q, second)
		if len(q.Messages()) != 0 {
			t.Error("the latest receipt did not delete the message after its loan had ended")
		}
	})
}

func TestMemoryMessagesLendsNothing(t *testing.T) {
	dead := queue.NewMemory(queue.MemoryConfig{Visibility: visibility})
	q := queue.NewMemory(queue.MemoryConfig{Visibility: visibility, MaxReceives: 1, DeadLetters: dead})
	send(t, q, queue.Message{Body: []byte("\x00first")}, queue.Message{Body: []byte("second"), Delay: time.Minute})
	all := q.Messages()
	if len(all) != 2 || string(all[0].Body) != "\x00first" || all[0].Receipt != "" || all[0].Receives != 0 {
		t.Errorf("messages %+v", all)
	}
	if got := receive(t, q, 1)[0]; got.Receives != 1 {
		t.Errorf("a look counted as a receive: %d", got.Receives)
	}
}

func TestMemoryWakesEveryWaitingReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})
		came := make(chan int)
		for range 3 {
			go func() {
				got, err := q.Receive(t.Context(), 1, 20*time.Second)
				if err != nil {
					t.Error(err)
				}
				came <- len(got)
			}()
		}
		synctest.Wait()
		start := time.Now()
		send(t, q, numbered(3)...)
		for range 3 {
			if n := <-came; n != 1 {
				t.Errorf("received %d", n)
			}
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("woken after %s", waited)
		}
	})
}

func TestMemoryWaitEndsWithAMessageOrWithTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.NewMemory(queue.MemoryConfig{Visibility: 3 * time.Second})
		send(t, q, queue.Message{Body: []byte("a")})
		receive(t, q, 1)
		start := time.Now()
		if got, _ := q.Receive(t.Context(), 1, 2*time.Second); len(got) != 0 || time.Since(start) != 2*time.Second {
			t.Errorf("%d messages after %s", len(got), time.Since(start))
		}
		if got, _ := q.Receive(t.Context(), 1, 20*time.Second); len(got) != 1 || time.Since(start) != 3*time.Second {
			t.Errorf("%d messages after %s", len(got), time.Since(start))
		}
	})
}

// faulty is a queue that fails at a step.
type faulty struct {
	*queue.Memory
	send, delete error
}

func (f faulty) Send(ctx context.Context, messages ...queue.Message) error {
	if f.send == nil {
		return f.Memory.Send(ctx, messages...)
	}
	if partial, ok := errors.AsType[*queue.PartialError](f.send); ok {
		for i, message := range messages {
			if partial.Failed[i] == nil {
				if err := f.Memory.Send(ctx, message); err != nil {
					return err
				}
			}
		}
	}
	return f.send
}

func (f faulty) Delete(ctx context.Context, receipt string) error {
	if f.delete != nil {
		return f.delete
	}
	return f.Memory.Delete(ctx, receipt)
}

func TestRedriveLosesNothing(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		send, delete error
		moved        int
		from, to     int // messages there afterwards, of three
		err          error
	}{
		"all goes well":                        {moved: 3, from: 0, to: 3},
		"send fails":                           {send: broken, moved: 0, from: 3, to: 0, err: broken},
		"send fails for the second":            {send: &queue.PartialError{Failed: map[int]error{1: broken}}, moved: 2, from: 1, to: 2, err: &queue.PartialError{}},
		"it dies between send and delete: two": {delete: broken, moved: 0, from: 3, to: 3, err: broken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				from := faulty{Memory: queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute}), delete: test.delete}
				to := faulty{Memory: queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute}), send: test.send}
				send(t, from, numbered(3)...)
				time.Sleep(time.Second)
				done, err := queue.Redrive{Letters: from, Work: to, Now: time.Now}.Run(t.Context())
				if done.Moved != test.moved || (err == nil) != (test.err == nil) {
					t.Errorf("moved %d, error %v", done.Moved, err)
				}
				if _, partial := errors.AsType[*queue.PartialError](test.err); !partial && !errors.Is(err, test.err) {
					t.Errorf("error %v", err)
				}
				if len(from.Messages()) != test.from || len(to.Messages()) != test.to {
					t.Errorf("%d left, %d arrived", len(from.Messages()), len(to.Messages()))
				}
			})
		})
	}
}

// Letters arrive without end while a redrive is at work, and each message that it moves is refused again.
func TestRedriveEndsWhileLettersArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		letters := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})
		work := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})
		send(t, letters, numbered(25)...)
		time.Sleep(time.Second)
		ctx, stop := context.WithCancel(t.Context())
		var worker sync.WaitGroup
		worker.Go(func() {
			for ctx.Err() == nil {
				refuseAll(t, work, letters)
				send(t, letters, queue.Message{Body: []byte("another")})
				time.Sleep(time.Millisecond)
			}
		})
		done, err := queue.Redrive{Letters: letters, Work: work, Now: time.Now}.Run(t.Context())
		stop()
		worker.Wait()
		refuseAll(t, work, letters)
		if err != nil || done.Moved != 25 {
			t.Errorf("redriven %+v, %v", done, err)
		}
		if depth := depth(t, letters); depth.InFlight != 0 || depth.Visible < 25 {
			t.Errorf("letters %+v: want all 25 again, and none on loan", depth)
		}
	})
}

// refuseAll puts every message of a queue on the letters.
func refuseAll(t *testing.T, work, letters *queue.Memory) {
	for {
		got, err := work.Receive(t.Context(), queue.MaxBatch, 0)
		if err != nil {
			t.Error(err)
		}
		if len(got) == 0 {
			return
		}
		for _, message := range got {
			send(t, letters, queue.Message{Body: message.Body})
			remove(t, work, message)
		}
	}
}

// One letter that the work queue does not take keeps none of the others back.
func TestRedriveGoesOnBehindARefusedLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		letters := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})
		work := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})
		send(t, letters, numbered(30)...)
		time.Sleep(time.Second)
		first := queue.PartialError{Failed: map[int]error{0: errors.New("refused")}}
		done, err := queue.Redrive{Letters: letters, Work: faulty{Memory: work, send: &first}, Now: time.Now}.Run(t.Context())
		partial, ok := errors.AsType[*queue.PartialError](err)
		if done.Moved != 27 || !ok || len(partial.Failed) != 3 || len(letters.Messages()) != 3 || len(work.Messages()) != 27 {
			t.Errorf("redriven %+v, %v; %d left", done, err, len(letters.Messages()))
		}
	})
}

// SQS tells when a message was sent in whole milliseconds, rounded down: one of the same millisecond may be newer.
func TestRedriveLeavesALetterOfItsFirstMillisecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		letters := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})
		work := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})
		send(t, letters, queue.Message{Body: []byte("a")}) // the bubble's clock begins with a whole second
		sent := time.Now()
		for _, row := range []struct {
			after time.Duration
			want  queue.Redriven
		}{{time.Millisecond - 1, queue.Redriven{Newer: 1}}, {time.Millisecond, queue.Redriven{Moved: 1}}} {
			begun := func() time.Time { return sent.Add(row.after) }
			if done, err := (queue.Redrive{Letters: letters, Work: work, Now: begun}).Run(t.Context()); err != nil || done != row.want {
				t.Errorf("begun after %s: redriven %+v, %v, want %+v", row.after, done, err, row.want)
			}
		}
	})
}

// interrupted is a queue whose caller is interrupted once a receive has brought something newer than a time.
type interrupted struct {
	*queue.Memory
	after     time.Time
	interrupt context.CancelFunc
}

func (i interrupted) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Received, error) {
	got, err := i.Memory.Receive(ctx, limit, wait)
	for _, message := range got {
		if message.Sent.After(i.after) {
			i.interrupt()
		}
	}
	return got, err
}

func TestAnInterruptedRedriveGivesNewerLettersBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		letters := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})
		send(t, letters, queue.Message{Body: []byte("old")})
		time.Sleep(time.Second)
		from := interrupted{letters, time.Now().Add(-time.Millisecond), interrupt}
		begin := func() time.Time {
			now := time.Now()
			time.Sleep(time.Second)
			send(t, letters, queue.Message{Body: []byte("newer")})
			return now
		}
		done, err := queue.Redrive{Letters: from, Work: queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute}), Now: begin}.Run(ctx)
		if done.Newer != 1 || !errors.Is(err, context.Canceled) {
			t.Errorf("redriven %+v, %v", done, err)
		}
		if depth := depth(t, letters); depth.Visible != 1 {
			t.Errorf("letters %+v, want the newer one to be there for the next redrive", depth)
		}
	})
}

func TestMemoryHoldsAMessageForTheLongestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})
		send(t, q, queue.Message{Body: []byte("later"), Delay: queue.MaxDelay})
		time.Sleep(queue.MaxDelay - time.Nanosecond)
		empty(t, q)
		if depth := depth(t, q); depth != (queue.Depth{Delayed: 1}) {
			t.Errorf("depth %+v", depth)
		}
		time.Sleep(time.Nanosecond)
		receive(t, q, 1)
	})
}

func TestNoMemoryIsMadeWithoutVisibility(t *testing.T) {
	for _, visibility := range []time.Duration{0, -1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("visibility %s is taken", visibility)
				}
			}()
			queue.NewMemory(queue.MemoryConfig{Visibility: visibility})
		}()
	}
}

// Dead letters need both a queue for them and a number of receives; without one of the two a message is handed out for ever.
func TestMemoryHandsOutForEverWithoutDeadLettersOrALimit(t *testing.T) {
	dead := queue.NewMemory(queue.MemoryConfig{Visibility: visibility})
	for name, config := range map[string]queue.MemoryConfig{
		"no limit":        {DeadLetters: dead},
		"no dead letters": {MaxReceives: 1},
		"neither":         {},
	} {
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		config.Visibility, config.Now = time.Minute, func() time.Time { return now }
		q := queue.NewMemory(config)
		send(t, q, queue.Message{Body: []byte("a")})
		for n := range 5 {
			if got := receive(t, q, 1)[0]; got.Receives != n+1 {
				t.Errorf("%s: receive %d counts %d", name, n+1, got.Receives)
			}
			now = now.Add(time.Minute)
		}
	}
	if n := len(dead.Messages()); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}
