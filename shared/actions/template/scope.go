package template

import "github.com/pim-functions/pim-functions/shared/engine"

// Scope is where in an action a template stands, which says what it sees. Its methods read templates for that place.
type Scope struct {
	Each     bool          // it is made once per item: it sees .Item and .Product beside the rest
	Reads    *engine.Reads // what the action reads of its products; nil: a template sees none
	Bound    int           // of the items that a template sees; 0: all
	Callback bool          // what is sent carries the address of a callback: it is seen as .Callback
	Answer   bool          // with Each: it sees what the destination answered, as .Answer
}

// ParseURL, ParseBody, ParseJSON, ParseForm and Parse read templates that are made once per batch and see no products.
func ParseURL(text string) (*URL, error)                { return Scope{}.ParseURL(text) }
func ParseBody(text, contentType string) (*Body, error) { return Scope{}.ParseBody(text, contentType) }
func ParseJSON(value any) (*Structure, error)           { return Scope{}.ParseJSON(value) }
func ParseForm(fields map[string]any) (*Form, error)    { return Scope{}.ParseForm(fields) }
func Parse(text string) (*Template, error)              { return Scope{}.Parse(text) }

// data is what a template of the scope sees of a run: an AnswerData, an ItemData or a Data.
func (s Scope) data(run engine.Run) (any, Data, error) {
	data, err := s.batch(run)
	if err != nil || !s.Each {
		return data, data, err
	}
	if len(data.Items) == 0 {
		return nil, data, engine.Permanent("there is no item, and the template needs one", nil)
	}
	if !s.Answer {
		return data.item(0), data, nil
	}
	answer, err := answerOf(run.Answer)
	return AnswerData{ItemData: data.item(0), Answer: answer}, data, err
}
