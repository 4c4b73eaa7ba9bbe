"""`healthbook worker` whose Firebase client speaks to a server of a test; everything else is as it runs.

The client has no option for its address (notifications.md §11.1): this name is private, its version pinned.
"""

import os

from firebase_admin import messaging

from healthbook.cli import main

if __name__ == "__main__":
    service = messaging._MessagingService
    assert service.FCM_URL.startswith("https://fcm.googleapis.com/")
    service.FCM_URL = os.environ["TEST_FCM_URL"]
    main(["worker"])
