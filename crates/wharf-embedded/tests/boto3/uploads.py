"""Multipart uploads, shortened."""

LEAST = 5 * 1024 * 1024


def begin(s3, bucket, key="k", **settings):
    """The arguments that all calls about this upload have."""
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key, **settings)["UploadId"]
    return {"Bucket": bucket, "Key": key, "UploadId": upload}


def upload(s3, target, bodies, **settings):
    """Uploads a part per number, and gives what a completion needs of them."""
    parts = []
    for number, body in bodies.items():
        answer = s3.upload_part(**target, PartNumber=number, Body=body, **settings)
        named = {name: value for name, value in answer.items() if name.startswith("Checksum")}
        parts.append({"PartNumber": number, "ETag": answer["ETag"]} | named)
    return parts


def complete(s3, target, parts, **settings):
    return s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts}, **settings)
