package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// write is one atomic step in the making.
type write struct {
	store  *DynamoDB
	now    time.Time
	writer string // stored in the row: when our condition fails on a row with it, our own write came first
	rows   []types.TransactWriteItem
}

func (d *DynamoDB) newWrite() *write {
	return &write{store: d, now: d.Now().UTC(), writer: newWriter()}
}

// payload is what the items row holds.
type payload struct {
	Items   []Item          `json:"items"`
	Context json.RawMessage `json:"context,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
}

// state makes the next version of a job and its row, without index keys.
func (w *write) state(job Job) (Job, values, error) {
	job.Version++
	job.UpdatedAt = w.now
	job.ExpiresAt = w.now.Add(Life)
	blob, err := json.Marshal(bare(job))
	if err != nil {
		return Job{}, nil, fmt.Errorf("encode job: %w", err)
	}
	return job, values{
		attrPK: text(jobKey(job.ID)), attrSK: text(rowState), attrJob: text(string(blob)), attrVersion: number(job.Version),
		attrWriter: text(w.writer), attrExpires: number(job.ExpiresAt.Unix()),
	}, nil
}

// indexes adds the keys by which a job is listed. They never change.
func (w *write) indexes(row values, job Job) {
	if owner := Owner(job.PIM, job.User.UUID); owner != "" {
		row[attrOwnerPK], row[attrOwnerSK] = text(owner), text(sortKey(job))
	}
	if len(job.Items) == 1 {
		if entity := Entity(job.PIM, job.Items[0]); entity != "" {
			row[attrEntityPK], row[attrEntitySK] = text(entity), text(sortKey(job))
		}
	}
}

// items makes the row that is written once.
func (w *write) items(job Job) (values, error) {
	blob, err := json.Marshal(payload{Items: job.Items, Context: job.Context, Params: job.Params})
	if err != nil {
		return nil, fmt.Errorf("encode items: %w", err)
	}
	return values{
		attrPK: text(jobKey(job.ID)), attrSK: text(rowItems), attrJob: text(string(blob)),
		attrExpires: number(w.now.Add(onceWrittenLife).Unix()),
	}, nil
}

// put adds a row, and returns its place in the step.
func (w *write) put(row values, condition string, with values) int {
	item := &types.Put{TableName: &w.store.Table, Item: row, ExpressionAttributeValues: with, ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}
	if condition != "" {
		item.ConditionExpression = &condition
	}
	w.rows = append(w.rows, types.TransactWriteItem{Put: item})
	return len(w.rows) - 1
}

// save adds the next version of a job, on condition that the stored one is as it was read.
func (w *write) save(job Job) (Job, int, error) {
	saved, row, err := w.state(job)
	if err != nil {
		return Job{}, 0, err
	}
	w.rows = append(w.rows, types.TransactWriteItem{Update: &types.Update{
		TableName:                &w.store.Table,
		Key:                      values{attrPK: row[attrPK], attrSK: row[attrSK]},
		UpdateExpression:         aws.String("SET #job = :job, version = :next, writer = :writer, expires = :expires"),
		ConditionExpression:      aws.String("version = :version AND expires > :now"),
		ExpressionAttributeNames: map[string]string{"#job": attrJob},
		ExpressionAttributeValues: values{
			":job": row[attrJob], ":next": row[attrVersion], ":writer": row[attrWriter], ":expires": row[attrExpires],
			":version": number(job.Version), ":now": number(w.now.Unix()),
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}})
	return saved, len(w.rows) - 1, nil
}

// failures adds rows of at most 100 failures. A batch's failures are written with its checkpoint, so once.
func (w *write) failures(id string, failures []Failure) error {
	for from := 0; from < len(failures); from += failuresPerRow {
		chunk := make([]Failure, 0, failuresPerRow)
		for _, failure := range failures[from:min(from+failuresPerRow, len(failures))] {
			failure.Reason = cut(failure.Reason)
			chunk = append(chunk, failure)
		}
		blob, err := json.Marshal(chunk)
		if err != nil {
			return fmt.Errorf("encode failures: %w", err)
		}
		w.put(values{
			attrPK: text(jobKey(id)), attrSK: text(fmt.Sprintf("%s%05d", rowFailures, chunk[0].Index)), attrFailures: text(string(blob)),
			attrExpires: number(w.now.Add(onceWrittenLife).Unix()),
		}, "", nil)
	}
	return nil
}

// free adds the removal of a once key, if this job still holds it.
func (w *write) free(key, id string) int {
	w.rows = append(w.rows, types.TransactWriteItem{Delete: &types.Delete{
		TableName:                 &w.store.Table,
		Key:                       values{attrPK: text(onceKey(key)), attrSK: text(rowOnce)},
		ConditionExpression:       aws.String("attribute_not_exists(pk) OR holder = :self"),
		ExpressionAttributeValues: values{":self": text(id)},
	}})
	return len(w.rows) - 1
}

func (w *write) drop(at int) {
	w.rows = append(w.rows[:at:at], w.rows[at+1:]...)
	w.writer += "-" // another step: the same token must not carry two contents
	for i := range w.rows {
		if u := w.rows[i].Update; u != nil {
			u.ExpressionAttributeValues[":writer"] = text(w.writer)
		}
	}
}

// commit carries the step out. Reasons say which condition refused it; nil that it is done. Conflicts with other
// transactions under way are waited out.
func (w *write) commit(ctx context.Context) ([]types.CancellationReason, error) {
	const tries = 5
	for try := 1; ; try++ {
		_, err := w.store.Client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: w.rows, ClientRequestToken: &w.writer})
		cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
		if !ok {
			return nil, err
		}
		passing := false
		for i, reason := range cancelled.CancellationReasons {
			switch code := aws.ToString(reason.Code); {
			case failed(cancelled.CancellationReasons, i):
				return cancelled.CancellationReasons, nil
			case code == "TransactionConflict" || code == "ThrottlingError" || code == "ProvisionedThroughputExceeded":
				passing = true
			}
		}
		if !passing || try == tries {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(time.Duration(try)*20*time.Millisecond + rand.N(20*time.Millisecond)):
		}
	}
}

// expired says whether a row's time has ended.
func (w *write) expired(row values) bool {
	n, ok := row[attrExpires].(*types.AttributeValueMemberN)
	if !ok {
		return false
	}
	at, err := strconv.ParseInt(n.Value, 10, 64)
	return err == nil && at <= w.now.Unix()
}
