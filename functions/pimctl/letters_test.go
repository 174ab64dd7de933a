package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// fakeSQS has the queues of an account in memory, and speaks SQS's JSON protocol as far as a redrive needs it.
type fakeSQS struct {
	queues map[string]*queue.Memory // by name
	refuse string                   // a body that no queue takes
	on     func(operation string)   // called before each operation; nil: nothing
}

// stage adds the queues of a deployment.
func (f *fakeSQS) stage(stack, id string) {
	if f.queues == nil {
		f.queues = map[string]*queue.Memory{}
	}
	for _, name := range []string{"jobs", "jobs-dead-letters", "events", "events-dead-letters"} {
		f.queues[stack+"-"+name+"-"+id] = queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})
	}
}

type sqsAttribute struct{ DataType, StringValue string }

func (f *fakeSQS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		QueueNamePrefix, QueueUrl, ReceiptHandle string
		MaxNumberOfMessages                      int
		Entries                                  []struct {
			Id, MessageBody   string
			MessageAttributes map[string]sqsAttribute
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	if f.on != nil {
		f.on(operation)
	}
	at := f.queues[in.QueueUrl[strings.LastIndexByte(in.QueueUrl, '/')+1:]]
	type object = map[string]any
	sum := func(text string) string { sum := md5.Sum([]byte(text)); return hex.EncodeToString(sum[:]) }
	out := object{}
	switch operation {
	case "ListQueues":
		urls := []string{}
		for name := range f.queues {
			if strings.HasPrefix(name, in.QueueNamePrefix) {
				urls = append(urls, "http://"+r.Host+"/000000000000/"+name)
			}
		}
		out["QueueUrls"] = urls
	case "GetQueueAttributes":
		depth, _ := at.Depth(r.Context())
		out["Attributes"] = map[string]string{"ApproximateNumberOfMessages": fmt.Sprint(depth.Visible), "ApproximateNumberOfMessagesNotVisible": fmt.Sprint(depth.InFlight)}
	case "ReceiveMessage":
		messages := []object{}
		received, _ := at.Receive(r.Context(), in.MaxNumberOfMessages, 0)
		for _, message := range received {
			attributes := map[string]sqsAttribute{}
			for name, value := range message.Attributes {
				attributes[name] = sqsAttribute{"String", value}
			}
			messages = append(messages, object{
				"MessageId": message.ID, "ReceiptHandle": message.Receipt, "Body": string(message.Body), "MD5OfBody": sum(string(message.Body)),
				"MessageAttributes": attributes, "Attributes": map[string]string{"SentTimestamp": fmt.Sprint(message.Sent.UnixMilli())},
			})
		}
		out["Messages"] = messages
	case "SendMessageBatch":
		successful, failed := []object{}, []object{}
		for _, entry := range in.Entries {
			if entry.MessageBody == f.refuse {
				failed = append(failed, object{"Id": entry.Id, "Code": "InvalidMessageContents", "SenderFault": true})
				continue
			}
			attributes := map[string]string{}
			for name, value := range entry.MessageAttributes {
				attributes[name] = value.StringValue
			}
			if err := at.Send(r.Context(), queue.Message{Body: []byte(entry.MessageBody), Attributes: attributes}); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			successful = append(successful, object{"Id": entry.Id, "MessageId": entry.Id, "MD5OfMessageBody": sum(entry.MessageBody)})
		}
		out["Successful"], out["Failed"] = successful, failed
	case "DeleteMessage":
		at.Delete(r.Context(), in.ReceiptHandle)
	case "ChangeMessageVisibility":
		at.Release(r.Context(), in.ReceiptHandle)
	default:
		http.Error(w, operation, http.StatusNotImplemented)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	json.NewEncoder(w).Encode(out)
}

// redriven runs the command with an answer to its question.
func (f *fakeSQS) redriven(t *testing.T, answer string, flags ...string) (code int, out, errs string) {
	t.Helper()
	server := httptest.NewServer(f)
	defer server.Close()
	set := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": server.URL}
	variables := env.Read(func(name string) (string, bool) { value, ok := set[name]; return value, ok })
	var printed, complained bytes.Buffer
	code = run(t.Context(), process{in: strings.NewReader(answer), out: &printed, errs: &complained, variables: variables, now: time.Now},
		append([]string{"letters", "redrive"}, flags...))
	return code, printed.String(), complained.String()
}

// put puts messages into a queue, and waits until they are older than whatever begins now.
func (f *fakeSQS) put(t *testing.T, name string, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if err := f.queues[name].Send(t.Context(), queue.Message{Body: []byte(body), Attributes: map[string]string{"pim": "main"}}); err != nil {
			t.Fatal(err)
		}
	}
	for sent := time.Now().UnixMilli(); time.Now().UnixMilli() == sent; {
	}
}

// bodies of a queue, with the redrive attribute.
func (f *fakeSQS) bodies(name string) (found []string) {
	for _, message := range f.queues[name].Messages() {
		found = append(found, string(message.Body)+message.Attributes["redrive"]+message.Attributes["pim"])
	}
	slices.Sort(found)
	return found
}

func TestRedriveOfAStage(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer string
		flags  []string
		code   int
		says   string // on either stream
		moved  bool
	}{
		{"asked and confirmed", "y\n", nil, succeeded, "events: 1 moved.", true},
		{"asked and refused", "n\n", nil, failed, "nothing was moved", false},
		{"asked, and nobody answers", "", nil, failed, "use --yes", false},
		{"--yes", "", []string{"--yes"}, succeeded, "jobs: 2 moved.", true},
		{"--dry-run", "", []string{"--dry-run"}, succeeded, "jobs: about 2 dead letters.", false},
		{"--dry-run with --yes", "", []string{"--dry-run", "--yes"}, succeeded, "events: about 1 dead letters.", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fakeSQS{}
			f.stage("pim-functions-production", "0a1b2c3d")
			f.stage("pim-functions-production-eu", "0a1b2c3d") // another stack, whose name begins in the same way
			f.put(t, "pim-functions-production-jobs-dead-letters-0a1b2c3d", "a", "b")
			f.put(t, "pim-functions-production-events-dead-letters-0a1b2c3d", "e")
			code, out, errs := f.redriven(t, c.answer, append([]string{"--stage", "production"}, c.flags...)...)
			if code != c.code || !strings.Contains(out+errs, c.says) {
				t.Errorf("ends with %d\nout: %s\nerrs: %s", code, out, errs)
			}
			jobs, events := f.bodies("pim-functions-production-jobs-0a1b2c3d"), f.bodies("pim-functions-production-events-0a1b2c3d")
			if c.moved && (!slices.Equal(jobs, []string{"amain", "bmain"}) || !slices.Equal(events, []string{"e1main"})) || !c.moved && len(jobs)+len(events) > 0 {
				t.Errorf("in the queues: %q, %q", jobs, events)
			}
		})
	}
}

func TestRedriveFindsTheQueuesOfOneDeployment(t *testing.T) {
	f := &fakeSQS{}
	f.stage("pim-functions-dev", "aaaa0000")
	f.stage("pim-functions-dev", "bbbb0000")
	f.put(t, "pim-functions-dev-jobs-dead-letters-bbbb0000", "b")
	for _, c := range []struct {
		flags []string
		code  int
		says  string
	}{
		{nil, misused, "missing --stage"},
		{[]string{"--stage", "dev"}, failed, "several deployments (aaaa0000, bbbb0000)"},
		{[]string{"--stage", "dev", "--deployment", "bbbb0000"}, succeeded, "jobs: about 1 dead letters."},
		{[]string{"--stage", "dev", "--deployment", "cccc0000"}, failed, "no queues of stack pim-functions-dev"},
		{[]string{"--stage", "x", "--stack", "pim-functions-dev", "--deployment", "aaaa0000"}, succeeded, "jobs: about 0 dead letters."},
		{[]string{"--stage", "staging"}, failed, "no queues of stack pim-functions-staging"},
	} {
		if code, out, errs := f.redriven(t, "", append(c.flags, "--dry-run")...); code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("%q: ends with %d\nout: %s\nerrs: %s", c.flags, code, out, errs)
		}
	}
	if code, _, errs := pimctl(t, nil, "letters", "redrive", "--stage", "dev"); code != failed || !strings.Contains(errs, "AWS_ACCESS_KEY_ID") {
		t.Errorf("without credentials: %d %s", code, errs)
	}
}

func TestLettersNeedsAKnownVerb(t *testing.T) {
	if code, out, errs := pimctl(t, nil, "letters"); code != succeeded || !strings.Contains(out, "redrive") || errs != "" {
		t.Errorf("without a verb: %d %s %s", code, out, errs)
	}
	if code, _, errs := pimctl(t, nil, "letters", "eat"); code != misused || !strings.Contains(errs, `unknown command "eat"`) {
		t.Errorf("an unknown verb: %d %s", code, errs)
	}
	if code, _, errs := pimctl(t, nil, "letters", "redrive", "--eat"); code != misused || !strings.Contains(errs, "unknown flag") {
		t.Errorf("an unknown flag: %d %s", code, errs)
	}
}

// Meanwhile the worker refuses what was moved, and another letter comes.
func TestRedriveWhileLettersArrive(t *testing.T) {
	f := &fakeSQS{}
	f.stage("pim-functions-dev", "aaaa0000")
	f.put(t, "pim-functions-dev-events-dead-letters-aaaa0000", "a", "b")
	arrived := false
	f.on = func(operation string) {
		if operation == "DeleteMessage" && !arrived {
			arrived = true
			f.put(t, "pim-functions-dev-events-dead-letters-aaaa0000", "new")
		}
	}
	code, out, errs := f.redriven(t, "", "--stage", "dev", "--yes")
	if code != succeeded || !strings.Contains(out, "events: 2 moved.\nevents: 1 came meanwhile and stay") {
		t.Errorf("ends with %d\nout: %s\nerrs: %s", code, out, errs)
	}
	if left := f.queues["pim-functions-dev-events-dead-letters-aaaa0000"]; len(left.Messages()) != 1 {
		t.Errorf("%d letters left, want the new one", len(left.Messages()))
	}
	if depth, err := f.queues["pim-functions-dev-events-dead-letters-aaaa0000"].Depth(context.Background()); err != nil || depth.Visible != 1 {
		t.Errorf("the new letter is on loan: %+v, %v", depth, err)
	}
}

func TestRedriveTellsWhatItMovedBeforeItFailed(t *testing.T) {
	f := &fakeSQS{refuse: "bad"}
	f.stage("pim-functions-dev", "aaaa0000")
	f.put(t, "pim-functions-dev-jobs-dead-letters-aaaa0000", "good", "bad")
	code, out, errs := f.redriven(t, "", "--stage", "dev", "--yes")
	if code != failed || !strings.Contains(out, "jobs: 1 moved.") || !strings.Contains(errs, "InvalidMessageContents") {
		t.Errorf("ends with %d\nout: %s\nerrs: %s", code, out, errs)
	}
	if got := f.bodies("pim-functions-dev-jobs-dead-letters-aaaa0000"); !slices.Equal(got, []string{"badmain"}) {
		t.Errorf("letters left: %q", got)
	}
}
