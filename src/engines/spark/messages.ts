/**
 * The messages of `spark-connect.proto` as the loader hands them over (absent fields are absent).
 */

export interface Caller {
  readonly session_id: string;
  readonly user_context: { readonly user_id: string };
  readonly client_type?: string;
}

export interface Relation {
  readonly common?: { readonly plan_id: number };
  readonly sql?: {
    readonly query: string;
    readonly named_arguments?: Readonly<Record<string, { literal: { string: string } }>>;
  };
  readonly local_relation?: { readonly data?: Buffer };
}

export type Plan =
  | { readonly root: Relation }
  | { readonly command: { readonly sql_command: { readonly input: Relation } } };

export interface ExecutePlanRequest extends Caller {
  readonly plan: Plan;
  readonly operation_id: string;
  readonly request_options: readonly { reattach_options: { reattachable: boolean } }[];
  readonly client_observed_server_side_session_id?: string;
}

export interface ReattachExecuteRequest extends Caller {
  readonly operation_id: string;
  readonly last_response_id?: string;
}

export interface StageInfo {
  readonly num_tasks?: number;
  readonly num_completed_tasks?: number;
  readonly input_bytes_read?: number;
  readonly done?: boolean;
}

export interface ExecutePlanResponse {
  readonly response_id: string;
  readonly arrow_batch?: { readonly row_count?: number; readonly data: Buffer };
  readonly sql_command_result?: { readonly relation?: Relation };
  readonly result_complete?: object;
  readonly execution_progress?: {
    readonly stages?: readonly StageInfo[];
    readonly num_inflight_tasks?: number;
  };
}

export interface KeyValue {
  readonly key: string;
  readonly value?: string;
}

export interface ConfigRequest extends Caller {
  readonly operation:
    | { readonly set: { readonly pairs: readonly KeyValue[] } }
    | { readonly get_option: { readonly keys: readonly string[] } }
    | { readonly unset: { readonly keys: readonly string[] } };
  readonly client_observed_server_side_session_id?: string;
}

export interface ConfigResponse {
  readonly pairs?: readonly KeyValue[];
  readonly server_side_session_id: string;
}

export interface ErrorChain {
  readonly root_error_idx?: number;
  readonly errors?: readonly ChainedError[];
}

export interface ChainedError {
  readonly error_type_hierarchy?: readonly string[];
  readonly message?: string;
  readonly cause_idx?: number;
  readonly spark_throwable?: {
    readonly error_class?: string;
    readonly sql_state?: string;
    readonly message_parameters?: Readonly<Record<string, string>>;
  };
}

/** The calls with one answer. */
export interface UnaryCalls {
  Config: { request: ConfigRequest; response: ConfigResponse };
  Interrupt: {
    request: Caller & { interrupt_type: 'INTERRUPT_TYPE_OPERATION_ID'; operation_id: string };
    response: { readonly interrupted_ids?: readonly string[] };
  };
  ReleaseExecute: {
    request: Caller & { operation_id: string; release_all: object };
    response: { readonly operation_id?: string };
  };
  ReleaseSession: { request: Caller; response: object };
  AnalyzePlan: {
    request: Caller & { spark_version: object };
    response: { readonly spark_version?: { readonly version: string } };
  };
  FetchErrorDetails: { request: Caller & { error_id: string }; response: ErrorChain };
}

export interface RpcStatus {
  readonly message?: string;
  readonly details?: readonly { readonly type_url: string; readonly value: Buffer }[];
}

export interface RpcErrorInfo {
  readonly reason?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}
