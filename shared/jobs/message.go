package jobs

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pim-functions/pim-functions/shared/queue"
)

// messageVersion is that of the messages made here. A worker puts back what has a newer one, and the first version, whose
// messages are {"job":ID}, cannot read these: a worker of that version would drop what a record says of turns and pauses.
const messageVersion = 2

// message is what the jobs queue carries: a name, never the work itself.
type message struct {
	Version int    `json:"v,omitempty"`
	ID      string `json:"id,omitempty"`
	Turn    int64  `json:"turn,omitempty"`
	First   string `json:"job,omitempty"` // the ID in a message of the first version
}

// Message is the queue message that moves a job. Turn is the record's, or the one that the record is about to get; 0 makes
// a message that moves the job if it can be moved now and is deleted otherwise. Its group is whoever starts such jobs: a
// thousand jobs of one extension do not keep another's waiting.
func Message(id string, turn int64) queue.Message {
	body, err := json.Marshal(message{Version: messageVersion, ID: id, Turn: turn})
	if err != nil { // texts and numbers always marshal
		panic(err)
	}
	return queue.Message{Body: body, Group: starter(id)}
}

// ParseMessage returns the job's ID and the turn of a message's body, of this version or the first, which has no turn.
// ErrNewer for a later version.
func ParseMessage(body []byte) (id string, turn int64, err error) {
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		return "", 0, fmt.Errorf("decode job message: %w", err)
	}
	switch {
	case m.Version > messageVersion:
		return "", 0, fmt.Errorf("decode job message: %w", ErrNewer)
	case m.Version == 0:
		m.ID, m.Turn = m.First, 0
	}
	if !possibleID(m.ID) || m.Turn < 0 {
		return "", 0, errors.New("decode job message: no job ID")
	}
	return m.ID, m.Turn, nil
}
