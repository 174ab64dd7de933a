package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Failures implements Store. Rows that a former job of the same ID has left are not this job's: its time to live
// had ended when this one was created, so that they are at least that much older.
func (d *DynamoDB) Failures(ctx context.Context, id string, limit int) ([]Failure, error) {
	state, err := d.state(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read failures: %w", err)
	}
	if !state.live(d.Now()) {
		return nil, nil
	}
	former := state.number(attrBorn) + int64((onceWrittenLife-Life)/time.Second)
	input := &dynamodb.QueryInput{
		TableName: &d.Table, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("pk = :pk AND begins_with(sk, :sk)"),
		FilterExpression:          aws.String("expires > :former"),
		ExpressionAttributeValues: row{":pk": text(keyJob + id), ":sk": text(rowFailures), ":former": number(former)},
	}
	if limit > 0 {
		input.Limit = aws.Int32(int32(min(limit, MaxItems))) // of rows, each with one failure or more
	}
	var found []Failure
	for {
		answer, err := d.Client.Query(ctx, input)
		if err != nil {
			return nil, fmt.Errorf("read failures: %w", err)
		}
		for _, r := range answer.Items {
			var chunk []Failure
			if err := json.Unmarshal([]byte(row(r).text(attrJSON)), &chunk); err != nil {
				return nil, fmt.Errorf("decode failures: %w", err)
			}
			found = append(found, chunk...)
		}
		if limit > 0 && len(found) >= limit {
			return found[:limit], nil
		}
		if len(answer.LastEvaluatedKey) == 0 {
			return found, nil
		}
		input.ExclusiveStartKey = answer.LastEvaluatedKey
	}
}

// List implements Store.
func (d *DynamoDB) List(ctx context.Context, query Query) ([]Job, bool, error) {
	query, err := query.valid()
	if err != nil {
		return nil, false, err
	}
	bound := query.before()
	index, pk, sk, key := indexOwner, attrOwnerPK, attrOwnerSK, query.Owner
	if query.Entity != "" {
		index, pk, sk, key = indexEntity, attrEntityPK, attrEntitySK, query.Entity
	}
	condition, values := pk+" = :key", row{":key": text(key), ":now": seconds(d.Now())}
	if bound != "" {
		condition += " AND " + sk + " < :bound"
		values[":bound"] = text(bound)
	}
	input := &dynamodb.QueryInput{
		TableName: &d.Table, IndexName: &index, ScanIndexForward: aws.Bool(false),
		KeyConditionExpression: &condition, FilterExpression: aws.String("expires > :now"),
		ExpressionAttributeValues: values,
		Limit:                     aws.Int32(int32(query.Limit + 1)), // one more says whether there is more
	}
	found := make([]Job, 0, query.Limit+1)
	for {
		answer, err := d.Client.Query(ctx, input)
		if err != nil {
			return nil, false, fmt.Errorf("list jobs: %w", err)
		}
		for _, r := range answer.Items {
			job, err := decodeJob([]byte(row(r).text(attrJSON)))
			if errors.Is(err, ErrNewer) {
				continue
			}
			if err != nil {
				return nil, false, fmt.Errorf("list jobs: %w", err)
			}
			found = append(found, job)
		}
		if len(found) > query.Limit {
			return found[:query.Limit], true, nil
		}
		if len(answer.LastEvaluatedKey) == 0 {
			return found, false, nil
		}
		input.ExclusiveStartKey = answer.LastEvaluatedKey
	}
}
