package destination

import (
	"encoding/json"
	"fmt"
	"strings"
)

// chat is how the path ends of an API that completes chats, as large language models are called.
const chat = "/chat/completions"

// written is the answer of a language model, which the destination plays without one: a text about what the last message asks
// for. ok is false for what is no chat.
func written(path string, body []byte) (answer string, ok bool) {
	var asked struct {
		Messages []struct {
			Content string `json:"content"`
		} `json:"messages"`
	}
	if !strings.HasSuffix(path, chat) || json.Unmarshal(body, &asked) != nil || len(asked.Messages) == 0 {
		return "", false
	}
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	type choice struct {
		Message message `json:"message"`
	}
	text, err := json.Marshal(map[string][]choice{"choices": {{message{"assistant", fmt.Sprintf("A text of this machine, where a model would write one: %s", asked.Messages[len(asked.Messages)-1].Content)}}}})
	return string(text), err == nil
}
