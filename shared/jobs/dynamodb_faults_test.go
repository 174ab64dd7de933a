package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/table"
)

// fakeDynamoDB answers writes in DynamoDB's JSON protocol as a test's plan says: one answer per call, and success
// after the last.
type fakeDynamoDB struct {
	mu     sync.Mutex
	plan   []answer
	writes []sentWrite
}

// answer is the body of an error; "" is success, and lost breaks the connection.
type answer func(sentWrite) string

// sentWrite is what the tests look at of a call.
type sentWrite struct {
	operation string
	token     string // of a transaction
	writer    string // that the STATE row is to get
	actions   int
}

func (f *fakeDynamoDB) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	type values map[string]struct{ S string }
	type update struct {
		ExpressionAttributeValues values
	}
	var in struct {
		update
		ClientRequestToken string
		TransactItems      []struct {
			Put    struct{ Item values }
			Update update
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	sent := sentWrite{operation, in.ClientRequestToken, in.ExpressionAttributeValues[":writer"].S, len(in.TransactItems)}
	if len(in.TransactItems) > 0 {
		sent.writer = in.TransactItems[0].Put.Item["writer"].S + in.TransactItems[0].Update.ExpressionAttributeValues[":writer"].S
	}
	body := f.next(sent)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if body != "" {
		w.WriteHeader(http.StatusBadRequest)
	} else {
		body = "{}"
	}
	fmt.Fprint(w, body)
}

func (f *fakeDynamoDB) next(sent sentWrite) string {
	f.mu.Lock()
	defer f.mu.Unlock() // a lost answer panics
	f.writes = append(f.writes, sent)
	if n := len(f.writes); n <= len(f.plan) {
		return f.plan[n-1](sent)
	}
	return ""
}

func lost(sentWrite) string { panic(http.ErrAbortHandler) }

func fault(code string) answer {
	return func(sentWrite) string {
		return fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"we are sorry"}`, code)
	}
}

// row is what stands in the table where a condition looked.
type row func(sentWrite) string

func ours(sent sentWrite) string { return stateRow(sent.writer, noon.Add(jobs.Life)) }
func theirs(sentWrite) string    { return stateRow("another", noon.Add(jobs.Life)) }
func expired(sentWrite) string   { return stateRow("another", noon) }
func holder(sentWrite) string    { return `{"holder":{"S":"holder"}}` }
func none(sentWrite) string      { return "" }

func stateRow(writer string, expires time.Time) string {
	return fmt.Sprintf(`{"writer":{"S":%q},"expires":{"N":"%d"}}`, writer, expires.Unix())
}

// conditionFailed refuses a single write.
func conditionFailed(before row) answer {
	return func(sent sentWrite) string {
		item := ""
		if text := before(sent); text != "" {
			item = `,"Item":` + text
		}
		return `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"` + item + `}`
	}
}

// cancelled refuses a transaction. A reason is a code, or a row: of a condition that failed on it.
func cancelled(reasons ...any) answer {
	return func(sent sentWrite) string {
		var texts []string
		for _, reason := range reasons {
			switch reason := reason.(type) {
			case string:
				texts = append(texts, fmt.Sprintf(`{"Code":%q}`, reason))
			case func(sentWrite) string:
				item := ""
				if text := reason(sent); text != "" {
					item = `,"Item":` + text
				}
				texts = append(texts, `{"Code":"ConditionalCheckFailed","Message":"The conditional request failed"`+item+`}`)
			}
		}
		return `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled",` +
			`"CancellationReasons":[` + strings.Join(texts, ",") + `]}`
	}
}

// open returns a store on the fake whose client makes at most two attempts per call.
func (f *fakeDynamoDB) open(t *testing.T) *jobs.DynamoDB {
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	client := dynamodb.NewFromConfig(awsConfig(server.URL, server.Client()))
	return jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: client, Table: "table", Now: func() time.Time { return noon }})
}

const (
	nothing  = "None"
	conflict = "TransactionConflict"
)

// errAway stands for any error that says nothing about the job.
var errAway = errors.New("neither done nor refused")

func TestDynamoDBSaveFaults(t *testing.T) {
	checkpoint := func(job *jobs.Job) []jobs.Failure { return nil }
	withFailures := func(job *jobs.Job) []jobs.Failure { return []jobs.Failure{{Index: 0, Reason: "r"}} }
	end := func(job *jobs.Job) []jobs.Failure { job.State = jobs.Succeeded; return nil }
	for name, c := range map[string]struct {
		save func(*jobs.Job) []jobs.Failure
		plan []answer
		want error
		sent []int // actions of each call; 0: a single write
	}{
		"one row is one plain write":                        {checkpoint, nil, nil, []int{0}},
		"a lost answer is asked for again, and found":       {checkpoint, []answer{lost, conditionFailed(ours)}, nil, []int{0, 0}},
		"another has written":                               {checkpoint, []answer{conditionFailed(theirs)}, jobs.ErrConflict, []int{0}},
		"another has written after a lost answer":           {checkpoint, []answer{lost, conditionFailed(theirs)}, jobs.ErrConflict, []int{0, 0}},
		"there is no row":                                   {checkpoint, []answer{conditionFailed(none)}, jobs.ErrNotFound, []int{0}},
		"the row's time has ended":                          {checkpoint, []answer{conditionFailed(expired)}, jobs.ErrNotFound, []int{0}},
		"throttled once":                                    {checkpoint, []answer{fault("ThrottlingException")}, nil, []int{0, 0}},
		"throttled on and on":                               {checkpoint, []answer{fault("ThrottlingException"), fault("ThrottlingException")}, errAway, []int{0, 0}},
		"answers lost on and on":                            {checkpoint, []answer{lost, lost}, errAway, []int{0, 0}},
		"a row in a transaction is waited for":              {checkpoint, []answer{fault("TransactionConflictException"), conditionFailed(theirs)}, jobs.ErrConflict, []int{0, 0}},
		"a row in transactions on and on":                   {checkpoint, slices.Repeat([]answer{fault("TransactionConflictException")}, 6), errAway, []int{0, 0, 0, 0, 0, 0}},
		"no right to write":                                 {checkpoint, []answer{fault("AccessDeniedException")}, errAway, []int{0}},
		"failures come in one transaction":                  {withFailures, nil, nil, []int{2}},
		"a transaction whose answer is lost":                {withFailures, []answer{lost}, nil, []int{2, 2}},
		"the same, and the token is forgotten":              {withFailures, []answer{lost, cancelled(ours, nothing)}, nil, []int{2, 2}},
		"the same, and it is still at work":                 {withFailures, []answer{fault("TransactionInProgressException")}, nil, []int{2, 2}},
		"another has written before the transaction":        {withFailures, []answer{cancelled(theirs, nothing)}, jobs.ErrConflict, []int{2}},
		"no row for the transaction":                        {withFailures, []answer{cancelled(none, nothing)}, jobs.ErrNotFound, []int{2}},
		"another transaction is waited for":                 {withFailures, []answer{cancelled(conflict, nothing), cancelled(conflict, nothing)}, nil, []int{2, 2, 2}},
		"what it leaves decides":                            {withFailures, []answer{cancelled(conflict, nothing), cancelled(theirs, nothing)}, jobs.ErrConflict, []int{2, 2}},
		"a throttled action is waited for":                  {withFailures, []answer{cancelled("ThrottlingError", nothing)}, nil, []int{2, 2}},
		"other transactions on and on":                      {withFailures, slices.Repeat([]answer{cancelled(conflict, nothing)}, 6), errAway, []int{2, 2, 2, 2, 2, 2}},
		"an action that is wrong":                           {withFailures, []answer{cancelled("ValidationError", nothing)}, errAway, []int{2}},
		"an end frees the once key in one transaction":      {end, nil, nil, []int{2}},
		"a once key that another holds is left alone":       {end, []answer{cancelled(nothing, holder)}, nil, []int{2, 0}},
		"the same, with a conflict first":                   {end, []answer{cancelled(conflict, holder), cancelled(nothing, holder)}, nil, []int{2, 2, 0}},
		"the same, and another has written":                 {end, []answer{cancelled(nothing, holder), conditionFailed(theirs)}, jobs.ErrConflict, []int{2, 0}},
		"a job that was taken over, and so was its key":     {end, []answer{cancelled(theirs, holder)}, jobs.ErrConflict, []int{2}},
		"an end whose answer is lost, and the token is too": {end, []answer{lost, cancelled(ours, nothing)}, nil, []int{2, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeDynamoDB{plan: c.plan}
			job := request("a")
			job.Version = 6
			failures := c.save(&job)
			saved, err := fake.open(t).Save(t.Context(), job, failures...)
			fake.check(t, err, c.want, c.sent)
			if err == nil && saved.Version != 7 {
				t.Errorf("version %d", saved.Version)
			}
		})
	}
}

func TestDynamoDBCreateFaults(t *testing.T) {
	held := &jobs.OnceError{}
	for name, c := range map[string]struct {
		takeover bool
		plan     []answer
		want     error
		sent     []int
	}{
		"state, items and once key are one transaction":      {false, nil, nil, []int{3}},
		"its answer is lost":                                 {false, []answer{lost}, nil, []int{3, 3}},
		"the same, and the token is forgotten":               {false, []answer{lost, cancelled(ours, nothing, nothing)}, nil, []int{3, 3}},
		"the ID is taken":                                    {false, []answer{cancelled(theirs, nothing, nothing)}, jobs.ErrExists, []int{3}},
		"the ID is taken and the once key is held":           {false, []answer{cancelled(theirs, nothing, holder)}, jobs.ErrExists, []int{3}},
		"the once key is held":                               {false, []answer{cancelled(nothing, nothing, holder)}, held, []int{3}},
		"the same request is being recorded":                 {false, []answer{cancelled(conflict, conflict, conflict), cancelled(theirs, nothing, nothing)}, jobs.ErrExists, []int{3, 3}},
		"the same, while the once key is held":               {false, []answer{cancelled(conflict, nothing, holder), cancelled(theirs, nothing, holder)}, jobs.ErrExists, []int{3, 3}},
		"throttled on and on":                                {false, slices.Repeat([]answer{fault("ThrottlingException")}, 2), errAway, []int{3, 3}},
		"answers lost on and on":                             {false, []answer{lost, lost}, errAway, []int{3, 3}},
		"a takeover saves the holder too":                    {true, nil, nil, []int{4}},
		"the holder has changed":                             {true, []answer{cancelled(nothing, nothing, nothing, theirs)}, jobs.ErrConflict, []int{4}},
		"the key has another holder":                         {true, []answer{cancelled(nothing, nothing, holder, nothing)}, jobs.ErrConflict, []int{4}},
		"the ID is taken, whatever else":                     {true, []answer{cancelled(theirs, nothing, holder, theirs)}, jobs.ErrExists, []int{4}},
		"a takeover whose answer is lost, and the token too": {true, []answer{lost, cancelled(ours, nothing, none, ours)}, nil, []int{4, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeDynamoDB{plan: c.plan}
			var over *jobs.Job
			if c.takeover {
				before := request("holder")
				before.Version = 3
				over = &before
			}
			created, err := fake.open(t).Create(t.Context(), request("a"), over)
			if c.want == held {
				got, ok := errors.AsType[*jobs.OnceError](err)
				if !ok || got.Holder != "holder" {
					t.Errorf("error %v", err)
				}
				err, c.want = nil, nil
			} else if err == nil && (created.Version != 1 || len(created.Items) != 1) {
				t.Errorf("created %+v", created)
			}
			fake.check(t, err, c.want, c.sent)
		})
	}
}

func TestDynamoDBWaitsNoLongerThanItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	fake := &fakeDynamoDB{plan: []answer{func(sent sentWrite) string {
		cancel()
		return cancelled(conflict, nothing)(sent)
	}}}
	_, err := fake.open(t).Save(ctx, request("a"), jobs.Failure{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	fake.mu.Lock()
	defer fake.mu.Unlock()
	if len(fake.writes) != 1 {
		t.Errorf("%d calls", len(fake.writes))
	}
}

// check compares an outcome and the calls that led to it.
func (f *fakeDynamoDB) check(t *testing.T, err, want error, sent []int) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	known := errors.Is(err, jobs.ErrConflict) || errors.Is(err, jobs.ErrExists) || errors.Is(err, jobs.ErrNotFound)
	if want == errAway && (err == nil || known) || want != errAway && !errors.Is(err, want) {
		t.Errorf("error %v, expected %v", err, want)
	}
	var got []int
	for i, write := range f.writes {
		got = append(got, write.actions)
		if write.operation == "TransactWriteItems" && write.token != write.writer {
			t.Errorf("call %d: a transaction with token %q", i+1, write.token)
		}
		if i > 0 && (write.writer == f.writes[i-1].writer) != (write.actions == f.writes[i-1].actions) {
			t.Errorf("call %d: %+v after %+v: one write sent again has one token, another has another", i+1, write, f.writes[i-1])
		}
	}
	if !slices.Equal(got, sent) {
		t.Errorf("calls of %v actions, expected %v", got, sent)
	}
}

// A job is in the index of its user, and one of a single item in that of its entity: from its first write on.
func TestDynamoDBIndexesAJobByItsOwnerAndItsOnlyItem(t *testing.T) {
	a, b := jobs.Item{Type: jobs.ProductModel, ID: "a"}, jobs.Item{Type: jobs.ProductModel, ID: "b"}
	for name, c := range map[string]struct {
		job           jobs.Job
		owner, entity string
	}{
		"a user's, of one item":  {jobs.Job{PIM: "main", User: jobs.User{UUID: "u"}, Items: []jobs.Item{a}}, "main#u", "main#product_model/a"},
		"a user's, of two items": {jobs.Job{PIM: "main", User: jobs.User{UUID: "u"}, Items: []jobs.Item{a, b}}, "main#u", ""},
		"nobody's, of one item":  {jobs.Job{PIM: "main", Items: []jobs.Item{a}}, "", "main#product_model/a"},
		"nobody's, of none":      {jobs.Job{PIM: "main"}, "", ""},
		"of no PIM":              {jobs.Job{User: jobs.User{UUID: "u"}, Items: []jobs.Item{a}}, "", ""},
	} {
		var state map[string]struct{ S string }
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var in struct {
				TransactItems []struct {
					Put struct{ Item map[string]struct{ S string } }
				}
			}
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.TransactItems) == 0 {
				t.Errorf("%s: %v", name, err)
				return
			}
			state = in.TransactItems[0].Put.Item
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			fmt.Fprint(w, "{}")
		}))
		defer server.Close()
		d := jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: dynamodb.NewFromConfig(awsConfig(server.URL, server.Client())), Table: "table", Now: func() time.Time { return noon }})
		c.job.ID, c.job.State, c.job.CreatedAt = "id", jobs.Recorded, noon
		if _, err := d.Create(t.Context(), c.job, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for key, want := range map[[2]string]string{{table.OwnerPK, table.OwnerSK}: c.owner, {table.EntityPK, table.EntitySK}: c.entity} {
			position, indexed := state[key[1]]
			if got := state[key[0]].S; got != want || indexed != (want != "") || indexed && !strings.HasPrefix(position.S, "2026-11-23T12:00:00") {
				t.Errorf("%s: %s is %q at %q, want %q", name, key[0], got, position.S, want)
			}
		}
	}
}
