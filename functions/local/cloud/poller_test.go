package cloud

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
)

func TestPollerDeletesWhatTheWorkerDoesNotWantBack(t *testing.T) {
	for _, c := range []struct {
		name    string
		handle  func([]queue.Received) []string
		left    queue.Depth
		letters int
	}{
		{"done", func([]queue.Received) []string { return nil }, queue.Depth{}, 0},
		{"kept each time", func(m []queue.Received) []string { return []string{m[0].ID} }, queue.Depth{}, 1},
		{"a crash each time", func([]queue.Received) []string { panic("crash") }, queue.Depth{}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				letters := queue.NewMemory(queue.MemoryConfig{Visibility: visibility})
				messages := queue.NewMemory(queue.MemoryConfig{Visibility: visibility, MaxReceives: MaxReceives, DeadLetters: letters})
				if err := messages.Send(t.Context(), queue.Message{Body: []byte("one")}); err != nil {
					t.Fatal(err)
				}
				receives := 0
				p := Poller{Queue: messages, Batch: 1, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Handle: func(ctx context.Context, received []queue.Received) []string {
					receives++
					if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) != workerTimeout {
						t.Errorf("the worker has until %v", deadline)
					}
					return c.handle(received)
				}}
				receiving, stop := context.WithCancel(t.Context())
				go p.Run(receiving, t.Context())
				time.Sleep(time.Hour)
				stop()
				synctest.Wait()
				if depth, err := messages.Depth(t.Context()); err != nil || depth != c.left {
					t.Errorf("left in the queue: %+v, %v", depth, err)
				}
				if got := len(letters.Messages()); got != c.letters {
					t.Errorf("%d dead letters, want %d", got, c.letters)
				}
				if want := 1 + c.letters*(MaxReceives-1); receives != want {
					t.Errorf("%d receives, want %d", receives, want)
				}
			})
		})
	}
}

// What comes within the window is one invocation, as far as the batch goes.
func TestPollerCollectsWhatComesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := queue.NewMemory(queue.MemoryConfig{Visibility: visibility})
		send := func(n int) {
			for range n {
				if err := messages.Send(t.Context(), queue.Message{Body: []byte("one")}); err != nil {
					t.Fatal(err)
				}
			}
		}
		var got []int
		p := Poller{Queue: messages, Batch: 30, Window: time.Second, Log: slog.New(slog.DiscardHandler), Handle: func(_ context.Context, received []queue.Received) []string {
			got = append(got, len(received))
			return nil
		}}
		receiving, stop := context.WithCancel(t.Context())
		go p.Run(receiving, t.Context())
		send(12)
		time.Sleep(900 * time.Millisecond)
		send(5)
		time.Sleep(time.Minute)
		send(42)
		time.Sleep(time.Minute)
		stop()
		synctest.Wait()
		if want := []int{17, 30, 12}; !slices.Equal(got, want) {
			t.Errorf("invocations of %v messages, want %v", got, want)
		}
	})
}
